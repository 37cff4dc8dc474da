"""aiogram is loaded without building its types, and they are what they are otherwise."""

import json
import subprocess
import sys
from typing import Any

SHOW = """
import json, sys
{first}
import aiogram
from aiogram import methods, types
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

class Shapes(GenerateJsonSchema):
    ignored_warning_kinds = {{"skipped-choice", "non-serializable-default", "skipped-discriminator"}}

    def is_instance_schema(self, schema):
        return {{"title": schema["cls"].__name__}}

built = [name for name in types.__all__ if getattr(getattr(types, name), "__pydantic_complete__", False)]
shapes = {{
    each.__name__: each.model_json_schema(schema_generator=Shapes)
    for each in (types.Update, methods.SendMessage, methods.EditMessageText, methods.AnswerCallbackQuery)
}}
unbuilt = []
for where in (types, methods):
    for name in where.__all__:
        one = getattr(where, name)
        if {all} and isinstance(one, type) and issubclass(one, BaseModel):
            one.model_rebuild(raise_errors=False)
            if not one.__pydantic_complete__:
                unbuilt.append(name)
own = BaseModel.model_rebuild.__func__.__module__
print(json.dumps({{"built": built, "shapes": shapes, "unbuilt": unbuilt, "own": own}}, default=str))
"""


def shown(first: str, *, every: bool) -> dict[str, Any]:
    """What a new process says of aiogram's types, after `first`."""
    program = SHOW.format(first=first, all=every)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_types_are_built_when_they_are_used_and_are_the_same() -> None:
    lean = shown("import bots.doors.telegram", every=True)
    assert lean["built"] == []
    assert lean["unbuilt"] == []
    assert lean["own"] == "pydantic.main"
    as_it_is = shown("import aiogram, bots.doors.telegram", every=False)
    assert "Message" in as_it_is["built"]  # who has loaded it keeps it
    assert lean["shapes"] == as_it_is["shapes"]
    assert "message" in lean["shapes"]["Update"]["properties"]
