// The suite's own origin server, on loopback: node origin.mjs SUITE; prints the port it was given.
import http from 'node:http'
import path from 'node:path'
const server = path.resolve(process.argv[2], 'test-engine/server')
const load = async name => (await import(path.join(server, `handle-${name}.mjs`))).default
const routes = { config: await load('config'), test: await load('test'), state: await load('state') }
const origin = http.createServer((request, response) => {
  const segments = new URL(request.url, 'http://localhost/').pathname.split('/').slice(1)
  const handle = routes[segments.shift()]
  if (handle) return handle(segments, request, response)
  response.writeHead(404, { 'Cache-Control': 'no-store' })
  response.end('not here\n')
})
origin.keepAliveTimeout = 60000
origin.listen(0, '127.0.0.1', () => console.error(`port ${origin.address().port}`))
