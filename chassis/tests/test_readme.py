from pathlib import Path

import chassis


def test_every_module_is_in_the_table():
    (source,) = chassis.__path__
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    modules = {path.stem for path in Path(source).glob("[!_]*") if path.suffix != ".typed"}
    rows = {line.split("`")[1] for line in readme.splitlines() if line.startswith("| `")}
    assert rows == modules
