"""What is installed is what there is: the list of packages leaves none out. Pure."""

import tomllib

from lab.network import CHECKOUT

NOT_INSTALLED = {"bench", "tests"}


def test_every_package_is_listed() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    listed = project["tool"]["setuptools"]["packages"]
    roots = {name.partition(".")[0] for name in listed} | NOT_INSTALLED
    there = {
        ".".join(file.parent.relative_to(CHECKOUT).parts)
        for root in roots
        for file in (CHECKOUT / root).rglob("__init__.py")
    }
    assert sorted(listed) == sorted(
        name for name in there if name.partition(".")[0] not in NOT_INSTALLED
    )
