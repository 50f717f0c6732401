// Runs the suite against a cache, and writes what became of each test: node client.mjs SUITE BASE OUT.json
import fs from 'node:fs'
import path from 'node:path'
const [suite, base, out] = process.argv.slice(2)
const at = name => path.resolve(suite, name)
const tests = (await import(at('tests/index.mjs'))).default
const { runTests, getResults } = await import(at('test-engine/client/runner.mjs'))
const { determineTestResult, resultTypes } = await import(at('test-engine/lib/results.mjs'))
const AT_ONCE = 150 // most of a test's time is spent waiting
await runTests(tests, false, base, AT_ONCE)
const results = getResults()
const names = new Map(Object.entries(resultTypes).map(([name, type]) => [type, name]))
const rows = tests.flatMap(group => group.tests).filter(test => !test.browser_only).map(test => ({
  id: test.id,
  kind: test.kind || 'required',
  result: names.get(determineTestResult(tests, test.id, results)),
  message: Array.isArray(results[test.id]) ? results[test.id].join(': ') : ''
}))
fs.writeFileSync(out, JSON.stringify(rows))
