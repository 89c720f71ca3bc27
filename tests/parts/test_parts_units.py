"""Length units as STEP and IGES files write them."""

import pytest

from pipeline.errors import InputError
from pipeline.parts.container import file_format, read_iges_unit, read_step_contents, without_styles

INCH = "(CONVERSION_BASED_UNIT('INCH',#9) LENGTH_UNIT() NAMED_UNIT(#8))"


def step(unit, body=""):
    return (
        "ISO-10303-21;\nHEADER;\nENDSEC;\nDATA;\n"
        "#5=(GEOMETRIC_REPRESENTATION_CONTEXT(3) GLOBAL_UNIT_ASSIGNED_CONTEXT((#6,#7)));\n"
        "#4=(LENGTH_UNIT() NAMED_UNIT(*) SI_UNIT($,.METRE.));\n"
        f"#6={unit};\n#7=(NAMED_UNIT(*) PLANE_ANGLE_UNIT() SI_UNIT($,.RADIAN.));\n{body}ENDSEC;\nEND-ISO-10303-21;\n"
    ).encode()


@pytest.mark.parametrize(
    ("entity", "name", "metres"),
    [
        ("(LENGTH_UNIT() NAMED_UNIT(*) SI_UNIT(.MILLI.,.METRE.))", "mm", 1e-3),
        ("( LENGTH_UNIT ( ) NAMED_UNIT ( * ) SI_UNIT ( .CENTI. , .METRE. ) )", "cm", 1e-2),
        ("(LENGTH_UNIT()NAMED_UNIT(*)SI_UNIT($,.METRE.))", "m", 1.0),
        (INCH, "inch", 0.0254),
        ("(CONVERSION_BASED_UNIT('Foot',#9)LENGTH_UNIT()NAMED_UNIT(#8))", "ft", 0.3048),
    ],
)
def test_step_units(entity, name, metres):
    unit = read_step_contents(step(entity), None).unit
    assert (unit.name, unit.metres, unit.source) == (name, metres, "file")


def test_step_without_a_unit_is_millimetres_by_assumption():
    data = step("(LENGTH_UNIT())").replace(b"GLOBAL_UNIT_ASSIGNED_CONTEXT", b"NO_CONTEXT")
    assert read_step_contents(data, None).unit.source == "assumed"
    assert read_step_contents(data, "in").unit.name == "inch"


def test_step_contents_are_counted():
    body = "#20=MANIFOLD_SOLID_BREP('',#21);\n#22=BREP_WITH_VOIDS('',#23,(#24));\n#25=GEOMETRIC_CURVE_SET('',(#26));\n"
    contents = read_step_contents(step(INCH, body), None)
    assert (contents.solids, contents.surfaces, contents.curve_sets) == (2, False, 1)
    assert read_step_contents(step(INCH, "#20=OPEN_SHELL('',());\n"), None).surfaces


def test_styles_are_made_unreadable_and_nothing_else():
    data = step(INCH, "#30=STYLED_ITEM('',(#31),#32);\n#33=OVER_RIDING_STYLED_ITEM('',(#31),#34,#30);\n")
    plain = without_styles(data)
    assert b"STYLED_ITEM" not in plain
    assert plain.count(b"GLINT_IGNORES_THIS('',(#31)") == 2
    assert len(plain.splitlines()) == len(data.splitlines())


def iges(flag, name):
    parameters = f"1H,,1H;,4Hpart,8Hpart.igs,4Htest,4Htest,32,38,6,308,15,4Hpart,1.,{flag},{name},1,0.01;"
    rows = [f"{'note':72}S      1"]
    rows += [f"{parameters[i : i + 72]:72}G{i // 72 + 1:7d}" for i in range(0, len(parameters), 72)]
    return "\n".join([*rows, f"{'S      1G      2D      0P      0':72}T      1"]).encode()


@pytest.mark.parametrize(("flag", "name", "expected"), [(1, "4HINCH", "inch"), (2, "2HMM", "mm"), (6, "1HM", "m"),
                                                        (3, "2HCM", "cm"), (10, "", "cm")])  # fmt: skip
def test_iges_units(flag, name, expected):
    assert read_iges_unit(iges(flag, name), None).name == expected


def test_iges_strings_may_hold_separators():
    data = iges(1, "4HINCH").replace(b"4Hpart,8H", b"4Ha,;b,8H")
    assert read_iges_unit(data, None).name == "inch"


def test_suffix_decides_the_format():
    assert [file_format(s) for s in (".STP", ".igs", ".3mf")] == ["step", "iges", "3mf"]
    with pytest.raises(InputError, match="found the suffix"):
        file_format("")
