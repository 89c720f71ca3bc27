"""Make the small CAD files that the tests of `pipeline.parts` read. Needs CadQuery, which the package itself does not.

python -m venv cad && cad/bin/pip install cadquery==2.8.0 && cad/bin/python tests/parts/data/make_fixtures.py
"""

import re
from pathlib import Path

import cadquery as cq
from OCP.IFSelect import IFSelect_RetDone
from OCP.IGESControl import IGESControl_Writer
from OCP.Interface import Interface_Static
from OCP.Quantity import Quantity_Color, Quantity_TOC_sRGB
from OCP.STEPCAFControl import STEPCAFControl_Writer
from OCP.STEPControl import STEPControl_StepModelType, STEPControl_Writer
from OCP.TCollection import TCollection_ExtendedString
from OCP.TDataStd import TDataStd_Name
from OCP.TDocStd import TDocStd_Document
from OCP.XCAFApp import XCAFApp_Application
from OCP.XCAFDoc import XCAFDoc_ColorType, XCAFDoc_DocumentTool

HERE = Path(__file__).parent
AS_IS = STEPControl_StepModelType.STEPControl_AsIs


def freeze(path: Path) -> None:
    """Replace the time of writing, so that running this again gives the same bytes."""
    text = path.read_text()
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", "2026-01-01T00:00:00", text)
    text = re.sub(r"15H\d{8}\.\d{6}", "15H20260101.000000", text)
    path.write_text(text)


def write_step(shape: cq.Shape, name: str, unit: str = "MM") -> None:
    writer = STEPControl_Writer()
    Interface_Static.SetCVal_s("write.step.unit", unit)
    Interface_Static.SetCVal_s("write.step.product.name", name)
    Interface_Static.SetIVal_s("write.step.assembly", 0)
    if writer.Transfer(shape.wrapped, AS_IS) != IFSelect_RetDone:
        raise RuntimeError(name)
    path = HERE / f"{name}.step"
    writer.Write(str(path))
    Interface_Static.SetCVal_s("write.step.unit", "MM")
    freeze(path)


def write_face_colors(shape: cq.Shape, name: str, product: str) -> None:
    """A blue solid, its top and its bore painted red."""
    document = TDocStd_Document(TCollection_ExtendedString("XmlXCAF"))
    XCAFApp_Application.GetApplication_s().InitDocument(document)
    shapes = XCAFDoc_DocumentTool.ShapeTool_s(document.Main())
    colors = XCAFDoc_DocumentTool.ColorTool_s(document.Main())
    label = shapes.AddShape(shape.wrapped, False)
    TDataStd_Name.Set_s(label, TCollection_ExtendedString(product, True))
    blue, red = Quantity_Color(0.2, 0.4, 0.6, Quantity_TOC_sRGB), Quantity_Color(1, 0, 0, Quantity_TOC_sRGB)
    colors.SetColor(label, blue, XCAFDoc_ColorType.XCAFDoc_ColorGen)
    for face in [*cq.Workplane(shape).faces(">Z").vals(), *cq.Workplane(shape).faces("%CYLINDER").vals()]:
        colors.SetColor(shapes.AddSubShape(label, face.wrapped), red, XCAFDoc_ColorType.XCAFDoc_ColorSurf)
    writer = STEPCAFControl_Writer()
    Interface_Static.SetCVal_s("write.step.product.name", product)
    writer.Transfer(document, AS_IS)
    writer.Write(str(HERE / f"{name}.step"))
    freeze(HERE / f"{name}.step")


def drilled_box() -> cq.Workplane:
    """60 x 40 x 20 mm with a through hole of 10 mm radius along z, its corner at (-30, -20, 0) + (5, 7, 11)."""
    return (
        cq.Workplane("XY")
        .box(60, 40, 20, centered=(True, True, False))
        .faces(">Z")
        .workplane()
        .hole(20)
        .translate((5, 7, 11))
    )


def assembly() -> cq.Assembly:
    """A grey plate and one pin solid placed twice, the second lying along x: three named instances, two colours."""
    plate = cq.Workplane("XY").box(50, 30, 6)
    pin = cq.Workplane("XY").circle(4).extrude(20)
    tree = cq.Assembly(name="fixture")
    tree.add(plate, name="plate", color=cq.Color(0.5, 0.5, 0.5))
    tree.add(pin, name="pin_upright", loc=cq.Location((10, 0, 3)), color=cq.Color(0.8, 0.1, 0.1))
    tree.add(
        pin,
        name="pin_lying",
        loc=cq.Location(cq.Vector(-20, 0, 7), cq.Vector(0, 1, 0), 90),
        color=cq.Color(0.8, 0.1, 0.1),
    )
    return tree


def main() -> None:
    box = drilled_box().val()
    write_step(box, "drilled_box_mm")
    write_step(box, "drilled_box_inch", unit="INCH")
    cylinder = cq.Workplane("XZ").circle(8).extrude(-30).translate((1, 2, 3)).val()
    write_step(cylinder, "cylinder")
    # The four other kinds of face: cone, sphere, torus (outer and inner fillet) and a freeform loft.
    knob = (
        cq.Workplane("XY")
        .circle(12)
        .workplane(offset=10)
        .circle(6)
        .loft(combine=True)
        .union(cq.Workplane("XY").workplane(offset=10).circle(6).extrude(8))
        .union(cq.Workplane("XY").sphere(9).translate((0, 0, 22)))
    )
    write_step(knob.val(), "knob")
    ring = cq.Workplane("XY").circle(20).circle(10).extrude(12).faces(">Z").edges().fillet(3)
    write_step(ring.val(), "ring")
    loft = (
        cq.Workplane("XY")
        .rect(20, 20)
        .workplane(offset=15)
        .spline([(8, 0), (3, 6), (-7, 2), (-2, -8)], periodic=True)
        .close()
        .loft(combine=True)
    )
    write_step(loft.val(), "loft")
    gear = cq.Workplane("XY").circle(20).extrude(5)
    for k in range(12):
        tooth = cq.Workplane("XY").rect(5, 4).extrude(5).translate((21, 0, 0)).rotate((0, 0, 0), (0, 0, 1), 30 * k)
        gear = gear.union(tooth)
    gear = gear.faces(">Z").workplane().hole(8)
    write_step(gear.val(), "gear12")
    for holes in (6, 5):
        plate = cq.Workplane("XY").circle(30).extrude(4)
        for k in range(holes):
            drill = cq.Workplane("XY").circle(2).extrude(4).translate((22, 0, 0)).rotate((0, 0, 0), (0, 0, 1), 60 * k)
            plate = plate.cut(drill)
        write_step(plate.val(), f"plate_{holes}_holes")
    ell = cq.Workplane("XY").polyline([(0, 0), (30, 0), (30, 8), (6, 8), (6, 20), (0, 20)]).close().extrude(5)
    write_step(ell.val(), "ell")
    surface = cq.Workplane("XY").box(30, 20, 10).faces(">Z or >X").vals()
    write_step(cq.Compound.makeCompound(surface), "surfaces_only")
    wire = cq.Workplane("XY").circle(10).wires().val()
    write_step(wire, "curves_only")
    mixed = cq.Compound.makeCompound([cq.Workplane("XY").box(10, 10, 10).val(), wire])
    write_step(mixed, "box_and_curve")
    write_face_colors(box.Solids()[0], "painted_box", "Gehäuse")
    cube = cq.Workplane("XY").box(10, 10, 10).val()
    touching = cube.moved(cq.Location((10, 0, 0)))
    hollow = cq.Workplane("XY").box(10, 10, 10).cut(cq.Workplane("XY").sphere(3)).translate((0, 20, 0)).val()
    write_step(cq.Compound.makeCompound([cube, touching, hollow]), "three_bodies")
    assembly().export(str(HERE / "assembly.step"))
    freeze(HERE / "assembly.step")
    writer = IGESControl_Writer("IN", 1)
    writer.AddShape(box.wrapped)
    writer.ComputeModel()
    writer.Write(str(HERE / "drilled_box_inch.igs"))
    freeze(HERE / "drilled_box_inch.igs")


main()
