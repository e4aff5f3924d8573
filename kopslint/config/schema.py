"""What a configuration may hold, as pydantic checks it and as JSON Schema says it."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from kopslint.config.patterns import EVERY_CLUSTER

Text = Annotated[str, Field(min_length=1)]
SeverityName = Literal["error", "warning", "info"]

_TEXTS = {"type": "array", "items": {"type": "string", "minLength": 1}}


def _by_cluster(value: object) -> object:
    """Command lists of all clusters as those of ``EVERY_CLUSTER``; one as a list."""
    if isinstance(value, dict):
        return {k: [v] if isinstance(v, str) else v for k, v in value.items()}
    return {EVERY_CLUSTER: [value] if isinstance(value, str) else value}


class _Model(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        alias_generator=lambda name: name.replace("_", "-"),
    )


class OverrideModel(_Model):
    """What is different for some files."""

    files: Annotated[
        list[Text],
        Field(min_length=1, description="Patterns of the files to which it applies."),
    ]
    ignore: Annotated[list[Text], Field(description="Rules to ignore there.")] = []
    severity: Annotated[
        dict[str, SeverityName], Field(description="Severities of rules there.")
    ] = {}


class TemplateModel(_Model):
    """One call of kops toolbox template."""

    template: Annotated[
        list[Text],
        Field(min_length=1, description="Its templates: files, folders or patterns."),
    ]
    values: Annotated[list[Text], Field(description="Its files of values.")] = []
    snippets: Annotated[list[Text], Field(description="Its snippets.")] = []
    set: Annotated[list[Text], Field(description="What it sets, as a.b=c.")] = []
    name: Annotated[str, Field(description="The cluster that it names.")] = ""


class ConfigModel(_Model):
    """The configuration of kopslint: .kopslint.yaml, or tool.kopslint in TOML."""

    specs: Annotated[
        list[Text],
        Field(
            description="Patterns of the kops specs, relative to this file. **"
            " matches folders, {cluster} stands for the cluster's name, ! excludes."
        ),
    ] = []
    templates: Annotated[
        list[TemplateModel],
        Field(
            description="Go templates of kops toolbox template and their values, where"
            " no command line of the repository says it; paths relative to this file."
        ),
    ] = []
    commands: Annotated[
        dict[str, list[Text]],
        BeforeValidator(_by_cluster),
        WithJsonSchema(
            {
                "anyOf": [
                    {"type": "string", "minLength": 1},
                    _TEXTS,
                    {
                        "type": "object",
                        "additionalProperties": {
                            "anyOf": [{"type": "string", "minLength": 1}, _TEXTS]
                        },
                    },
                ],
            }
        ),
        Field(
            description="Patterns of scripts, runbooks and pipelines to replay on a"
            " change; {cluster} stands for the name of the list's cluster. Or a"
            " mapping from clusters to their lists."
        ),
    ] = {}
    select: Annotated[
        list[Text] | None,
        Field(description="Check only these rules: ids, names, prefixes, categories."),
    ] = None
    ignore: Annotated[
        list[Text], Field(description="Check all rules except these.")
    ] = []
    severity: Annotated[
        dict[str, SeverityName],
        Field(description="Severities of rules, if not those of the rulebook."),
    ] = {}
    fail_on: Annotated[
        Literal["error", "warning", "info", "never"] | None,
        Field(description="The lowest severity that gives exit status 1."),
    ] = None
    kops_version: Annotated[
        str | None,
        Field(
            pattern=r"^1\.[0-9]+(\.[0-9]+)?$",
            description="The kops version that runs the commands, in quotes.",
        ),
    ] = None
    documentation: Annotated[
        str | None,
        Field(
            pattern=r"^https?://[^\s<>\"'`()\\]+$",
            description="Where the rule pages are published, for links in reports:"
            " the part of the URL before rules/KL301/, or a URL with {rule} and"
            " {name} in it.",
        ),
    ] = None
    retired: Annotated[
        list[Text],
        Field(
            description="Names of deleted clusters: their specs may be removed"
            " without an error."
        ),
    ] = []
    rule_paths: Annotated[
        list[Text], Field(description="Folders with custom rules.")
    ] = []
    overrides: Annotated[
        list[OverrideModel],
        Field(description="Different settings for some files; the last match wins."),
    ] = []


def render_config_schema() -> str:
    """The JSON Schema of a configuration, for editors and other checkers.

    Published as ``config.schema.json`` beside this module.
    """
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **ConfigModel.model_json_schema(by_alias=True),
        "title": "The configuration of kopslint",
    }
    return json.dumps(schema, indent=2) + "\n"
