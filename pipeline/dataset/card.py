"""The pages of a build that describe it: README.md for people, croissant.json for machines.

Covers: a dataset card with the front matter that dataset hubs read, and Croissant 1.0 JSON-LD generated from the table
schemas (https://docs.mlcommons.org/croissant/docs/croissant-spec.html). Does not cover: the HTML report.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pipeline.dataset.columns import (
    FLAG,
    INTEGER,
    INTEGERS,
    NUMBER,
    NUMBERS,
    TEXTS,
    Column,
    TableSchema,
)
from pipeline.dataset.tables import TABLES
from pipeline.records import write_json

if TYPE_CHECKING:
    from pipeline.dataset.build import BuildRecord

README_FILE: Final = "README.md"
CROISSANT_FILE: Final = "croissant.json"

_CONTEXT: Final[dict[str, Any]] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}

_TYPES: Final = {
    INTEGER: "sc:Integer",
    INTEGERS: "sc:Integer",
    NUMBER: "sc:Float",
    NUMBERS: "sc:Float",
    FLAG: "sc:Boolean",
}


def write_card(folder: Path, record: BuildRecord) -> None:
    """Write README.md and croissant.json into the build *folder*."""
    (folder / README_FILE).write_text(readme(record), encoding="utf-8")
    write_json(folder / CROISSANT_FILE, croissant(record))


def croissant(record: BuildRecord) -> dict[str, Any]:
    """The Croissant 1.0 description of a build: one file object and one record set per table."""
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": record.dataset,
        "description": _summary(record),
        "license": record.licence,
        "url": "./",
        "version": "1.0.0",
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": file.file,
                "name": file.file,
                "contentUrl": file.file,
                "encodingFormat": "application/x-parquet",
                "sha256": file.sha256,
                "contentSize": f"{file.bytes} B",
            }
            for file in record.tables.values()
        ],
        "recordSet": [_record_set(schema, record.tables[name].file) for name, schema in TABLES.items()],
    }


def readme(record: BuildRecord) -> str:
    """The dataset card: what it holds, how to read it, what the labels mean, how to make a scene again."""
    photos = record.tables["photos"].rows
    size = next(name for limit, name in _SIZES if photos < limit)
    tables = "\n".join(f"| `{file.file}` | {file.rows} | {TABLES[name].row} |" for name, file in record.tables.items())
    splits = "\n".join(f"| {name} | {n['scenes']} | {n['photos']} |" for name, n in record.splits.items())
    licence = json.dumps(record.licence)  # quoted: the text is the spec's author's, and this is YAML
    missing = f"\n{len(record.quarantined)} scenes failed and are left out.\n" if record.quarantined else ""
    return f"""---
pretty_name: {record.dataset}
license: other
license_name: {licence}
task_categories: [object-detection, image-segmentation, depth-estimation]
size_categories: [{size}]
tags: [synthetic, metal, reflections, cad]
---

# {record.dataset}

{_summary(record)}
{missing}
| split | scenes | photos |
|---|---|---|
{splits}

| table | rows | a row is |
|---|---|---|
{tables}

Paths in the tables are relative to the dataset folder, two levels above this file. Read it with any Parquet reader,
or with

```python
from pipeline.dataset import open_dataset

dataset = open_dataset("path/to/dataset")
for photo in dataset.iter_photos("train"):
    image = dataset.image(photo["photo_id"])          # (h, w, 3) uint8, sRGB
    parts = dataset.instances(photo["view_id"])       # boxes, poses, masks
```

{_transfer(record)}

The meaning and unit of every column is in the metadata of its Parquet field and in `croissant.json`. Cameras are
OpenCV's (x right, y down, z forward), lengths metres, masks COCO run-length text. Masks, poses and depth come from the
geometry, not from the pixels: they hold for all photos of a view, also where a photo is over- or underexposed. Objects
that a curved part reflects more than once, and light that arrives by a rough reflection, are not in the reflection
table: it follows one mirror ray per pixel.

Licence of the pictures: {record.licence}. The program's own licence does not extend to them.

Made by Glint {record.code_version} from the spec in `build.json`. One scene again, with the same pixels:
`glint scene SPEC SCENE_ID --out FOLDER`.
"""


_SIZES: Final = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (float("inf"), "n>1M"),
)


def _transfer(record: BuildRecord) -> str:
    """What became of transfer, with what a user of the pictures must know of the model."""
    found = record.transfer
    if found is None:
        return "All photos are the camera's."
    if not found.ran:
        return found.sentence()
    return (
        f"{found.sentence()} `origin` tells them apart, `transfers` holds every try. Licence of the model: "
        f"{found.licence}; what derives from Stable Diffusion carries the use restrictions of its licence."
    )


def _summary(record: BuildRecord) -> str:
    about = f"{record.description.rstrip('.')}. " if record.description else ""
    return about + (
        f"{record.tables['photos'].rows} synthetic photographs of metal parts from {record.tables['scenes'].rows} "
        f"scenes, path-traced from CAD, with masks, boxes, poses, depth, normals, highlights and what every part "
        f"reflects."
    )


def _record_set(schema: TableSchema, file: str) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": schema.name,
        "name": schema.name,
        "description": f"A row is {schema.row}.",
        "key": [{"@id": f"{schema.name}/{name}"} for name in schema.key],
        "field": [_field(schema, column, file) for column in schema.columns],
    }


def _field(schema: TableSchema, column: Column, file: str) -> dict[str, Any]:
    field: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": f"{schema.name}/{column.name}",
        "name": column.name,
        "description": f"{column.description} [{column.unit}]" if column.unit else column.description,
        "dataType": _TYPES.get(column.kind, "sc:Text"),
        "source": {"fileObject": {"@id": file}, "extract": {"column": column.name}},
    }
    if column.kind in {INTEGERS, NUMBERS, TEXTS}:
        field["repeated"] = True
    target = _REFERENCES.get(column.name)
    if target is not None and not target.startswith(f"{schema.name}/"):
        field["references"] = {"field": {"@id": target}}
    return field


_REFERENCES: Final = {"scene_id": "scenes/scene_id", "view_id": "views/view_id", "photo_id": "photos/photo_id"}
