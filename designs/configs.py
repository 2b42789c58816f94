"""Models from their published configuration files; four ship in `models`."""

from dataclasses import fields
from pathlib import Path

from designs.bitnet import BitnetModel
from designs.document import DesignError, Node, not_among, read
from designs.objects import build

_FOLDER = Path(__file__).parent / "models"


def shipped_models() -> tuple[str, ...]:
    """Names of the models that ship, sorted."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.json")))


def load_model(source: str) -> BitnetModel:
    """The model of a shipped name, or of the `config.json` at a path.

    Keys that say nothing about the shape are passed over. Raises DesignError: one sentence with
    "file:line: key: " in front.
    """
    names = shipped_models()
    if source in names:
        return _model(read(_FOLDER / f"{source}.json", f"models/{source}.json"))
    if not source or (Path(source).name == source and not Path(source).suffix):
        sentence = not_among("model", source, names)
        raise DesignError(sentence.replace("must be", "must be the path of a config.json or", 1))
    return _model(read(Path(source), source))


def _model(document: Node) -> BitnetModel:
    if not isinstance(document.value, dict):
        raise document.error("must be a mapping, as a config.json is")
    names = {item.name for item in fields(BitnetModel)}
    known = {key: node for key, node in document.value.items() if key in names}
    model: BitnetModel = build(BitnetModel, Node(value=known, place=document.place))
    return model
