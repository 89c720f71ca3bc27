"""Write solids as a STEP file (AP214) with names, colours and units; the same solids give the same bytes."""

from __future__ import annotations

import re
from pathlib import Path

import cadquery as cq
from OCP.BRepBuilderAPI import BRepBuilderAPI_Transform
from OCP.Interface import Interface_Static
from OCP.Quantity import Quantity_Color, Quantity_TOC_RGB
from OCP.STEPCAFControl import STEPCAFControl_Controller, STEPCAFControl_Writer
from OCP.TCollection import TCollection_ExtendedString
from OCP.TDataStd import TDataStd_Name
from OCP.TDocStd import TDocStd_Document
from OCP.TopLoc import TopLoc_Location
from OCP.TopoDS import TopoDS_Shape
from OCP.XCAFApp import XCAFApp_Application
from OCP.XCAFDoc import XCAFDoc_ColorType, XCAFDoc_DocumentTool

STAMP = "2026-01-01T00:00:00"
AUTHOR = "The Glint authors"

Body = tuple[str, cq.Workplane, tuple[float, float, float] | None]


def write_step(path: Path, name: str, bodies: list[Body], units: str) -> None:
    """Write *bodies* (name, solid, linear RGB or None) as one part, or as an assembly when there are several."""
    STEPCAFControl_Controller.Init_s()
    Interface_Static.SetCVal_s("write.step.schema", "AP214IS")
    Interface_Static.SetCVal_s("write.step.unit", {"mm": "MM", "inch": "INCH"}[units])
    Interface_Static.SetIVal_s("write.surfacecurve.mode", 0)
    document = TDocStd_Document(TCollection_ExtendedString("XmlXCAF"))
    XCAFApp_Application.GetApplication_s().InitDocument(document)
    shapes = XCAFDoc_DocumentTool.ShapeTool_s(document.Main())
    colours = XCAFDoc_DocumentTool.ColorTool_s(document.Main())
    whole = shapes.NewShape() if len(bodies) > 1 else None
    for body_name, solid, rgb in bodies:
        label = shapes.AddShape(_in_place(solid), False)
        TDataStd_Name.Set_s(label, TCollection_ExtendedString(body_name))
        if rgb is not None:
            colours.SetColor(label, Quantity_Color(*rgb, Quantity_TOC_RGB), XCAFDoc_ColorType.XCAFDoc_ColorSurf)
        if whole is not None:
            instance = shapes.AddComponent(whole, label, TopLoc_Location())
            TDataStd_Name.Set_s(instance, TCollection_ExtendedString(body_name))
    if whole is not None:
        TDataStd_Name.Set_s(whole, TCollection_ExtendedString(name))
    shapes.UpdateAssemblies()
    writer = STEPCAFControl_Writer()
    writer.SetNameMode(True)
    writer.SetColorMode(True)
    writer.Transfer(document)
    writer.Write(str(path))
    _settle(path, name)


def _in_place(solid: cq.Workplane) -> TopoDS_Shape:
    """The body with its location worked into its geometry: a located shape would lose its colour."""
    shape = solid.val().wrapped
    return BRepBuilderAPI_Transform(shape.Located(TopLoc_Location()), shape.Location().Transformation(), True).Shape()


def _settle(path: Path, name: str) -> None:
    """Replace what changes from run to run: the header's time, author and file name, and the product counter."""
    text = path.read_text(encoding="ascii")
    header = f"FILE_NAME('{name}','{STAMP}',('{AUTHOR}'),('Glint'),'Open CASCADE STEP processor','cadquery','none');\n"
    text = re.sub(r"FILE_NAME\(.*?\);\n", header, text, count=1, flags=re.DOTALL)
    text = re.sub(
        r"FILE_DESCRIPTION\(.*?\);\n", f"FILE_DESCRIPTION(('{name}'),'2;1');\n", text, count=1, flags=re.DOTALL
    )
    text = re.sub(r"Open CASCADE STEP translator [\d. ]+", name, text)
    path.write_text(_settle_styles(text), encoding="ascii", newline="\n")


STYLE_CHAIN = (
    "MECHANICAL_DESIGN_GEOMETRIC_PRESENTATION_REPRESENTATION('',(#{0}),#{context})",
    "STYLED_ITEM('color',(#{1}),#{item})",
    "PRESENTATION_STYLE_ASSIGNMENT((#{2}))",
    "SURFACE_STYLE_USAGE(.BOTH.,#{3})",
    "SURFACE_SIDE_STYLE('',(#{4}))",
    "SURFACE_STYLE_FILL_AREA(#{5})",
    "FILL_AREA_STYLE('',(#{6}))",
    "FILL_AREA_STYLE_COLOUR('',#{7})",
    "COLOUR_RGB('',{rgb})",
)
"""The entities that colour one body (ISO 10303-46); "#{n}" is the n-th of those that follow the first."""


def _settle_styles(text: str) -> str:
    """Write the colours, which end the file, in the order of their bodies: the kernel's order varies by run."""
    start = re.search(r"#(\d+) = MECHANICAL_DESIGN_GEOMETRIC_PRESENTATION_REPRESENTATION", text)
    if start is None:
        return text
    tail, number = text[start.start() :], int(start[1])
    colours = dict(re.findall(r"#(\d+) = COLOUR_RGB\('',([^)]*)\)", tail))
    contexts = re.findall(r"PRESENTATION_REPRESENTATION\('',\(\s*#\d+\),#(\d+)\)", tail)
    items = re.findall(r"STYLED_ITEM\('color',\(#\d+\),#(\d+)\)", tail)
    used = re.findall(r"FILL_AREA_STYLE_COLOUR\('',#(\d+)\)", tail)
    lines = []
    for context, item, colour in sorted(zip(contexts, items, used, strict=True), key=lambda style: int(style[1])):
        numbers = range(number + 1, number + len(STYLE_CHAIN))
        for entity in STYLE_CHAIN:
            filled = entity.format(*numbers, context=context, item=item, rgb=colours[colour])
            lines.append(f"#{number} = {filled};\n")
            number += 1
    return text[: start.start()] + "".join(lines) + "ENDSEC;\nEND-ISO-10303-21;\n"
