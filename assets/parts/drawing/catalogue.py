"""The catalogue: 60 classes of parts, the sizes each is drawn in, and what industry makes it of.

`finish` and `metals` name entries of `assets/tables/finishes.toml` and `assets/tables/metals.json`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from drawing import (
    assemblies,
    bladed,
    covers,
    engine,
    fluid,
    gears,
    milled_parts,
    nuts,
    pins,
    screws,
    shafts,
    tools,
    turned_parts,
)

STEELS = ("steel_carbon", "stainless_austenitic")
BOLTED = ("zinc", "stainless_austenitic", "black_oxide_magnetite")
CAST = ("iron", "aluminium_pure")
BRASS = ("brass_cu70zn30", "stainless_austenitic", "chromium")
TOOL = ("chromium", "steel_carbon")


class Drawing(NamedTuple):
    """A class of parts: its family, the function that draws a size, the sizes on file, how and of what it is made."""

    family: str
    draw: Callable[..., Any]
    finish: str
    metals: tuple[str, ...]
    sizes: tuple[str, ...] = ()
    """The first is NAME.step, the others NAME_SIZE.step; empty for a part of one size."""
    units: str = "mm"


DRAWINGS: dict[str, Drawing] = {
    "flange": Drawing("flange", turned_parts.flange, "forged_machined", STEELS),
    "stepped_shaft": Drawing("shaft", turned_parts.stepped_shaft, "ground", ("steel_carbon", "stainless_ferritic")),
    "spur_gear": Drawing("gear", gears.spur_gear, "ground", ("steel_carbon",), ("m2z24", "m1.5z20")),
    "hex_bolt": Drawing("bolt", screws.hex_bolt, "tumbled", BOLTED, ("M12x50", "M6x30", "M8x40", "M16x60")),
    "hex_nut": Drawing("nut", nuts.hex_nut, "tumbled", BOLTED, ("M12", "M6", "M8", "M16")),
    "socket_screw": Drawing("screw", screws.socket_screw, "tumbled", BOLTED, ("M8x30", "M5x20", "M12x40")),
    "bearing_housing": Drawing("housing", milled_parts.bearing_housing, "sand_cast_machined", CAST),
    "ribbed_bracket": Drawing("bracket", milled_parts.ribbed_bracket, "die_cast", ("aluminium_pure", "magnesium")),
    "sheet_angle": Drawing("sheet metal", milled_parts.sheet_angle, "cold_rolled_sheet", ("zinc", *STEELS)),
    "manifold_block": Drawing("manifold", milled_parts.manifold_block, "machined", ("aluminium_pure", "steel_carbon")),
    "turbine_wheel": Drawing("turbine", bladed.turbine_wheel, "machined", ("nickel", "titanium", "aluminium_pure")),
    "v_belt_pulley": Drawing("pulley", turned_parts.pulley, "sand_cast_machined", CAST),
    "washer": Drawing("washer", pins.washer, "cold_rolled_sheet", BOLTED, ("M12", "M6", "M8")),
    "flanged_bushing": Drawing("bushing", turned_parts.bushing, "turned", ("bronze_cu90zn10", "brass_cu70zn30")),
    "connecting_rod": Drawing(
        "connecting rod", milled_parts.connecting_rod, "forged_machined", ("steel_carbon", "titanium")
    ),
    "ball_stud": Drawing("ball stud", turned_parts.ball_stud, "ground", ("steel_carbon", "stainless_ferritic")),
    "heat_sink": Drawing("heat sink", milled_parts.heat_sink, "machined", ("aluminium_pure", "copper")),
    "shaft_assembly": Drawing("assembly", assemblies.shaft_assembly, "ground", ("steel_carbon",)),
    "npt_fitting": Drawing("fitting", turned_parts.npt_fitting, "machined", BRASS, (), "inch"),
    "tooling_plate": Drawing("plate", milled_parts.imperial_plate, "ground", ("aluminium_pure", *STEELS), (), "inch"),
    "countersunk_screw": Drawing("screw", screws.countersunk_screw, "tumbled", BOLTED, ("M8x30", "M5x20", "M12x40")),
    "set_screw": Drawing("screw", screws.set_screw, "tumbled", BOLTED, ("M8x12", "M6x10", "M12x20")),
    "eye_bolt": Drawing("bolt", screws.eye_bolt, "forged_machined", ("zinc", *STEELS), ("M12", "M8")),
    "knurled_screw": Drawing("screw", screws.knurled_screw, "turned", BRASS, ("M6x20",)),
    "cap_nut": Drawing("nut", nuts.cap_nut, "polished", ("chromium", *BOLTED[:2]), ("M8", "M6", "M12")),
    "wing_nut": Drawing("nut", nuts.wing_nut, "die_cast", ("zinc", "brass_cu70zn30"), ("M8", "M6")),
    "t_slot_nut": Drawing(
        "nut", nuts.t_slot_nut, "machined", ("black_oxide_magnetite", "steel_carbon"), ("M12x14", "M8x10")
    ),
    "spring_washer": Drawing("washer", pins.spring_washer, "tumbled", BOLTED, ("M12", "M8", "M6")),
    "retaining_ring": Drawing(
        "ring",
        pins.retaining_ring,
        "cold_rolled_sheet",
        ("black_oxide_magnetite", "stainless_ferritic"),
        ("20", "12", "30"),
    ),
    "dowel_pin": Drawing(
        "pin", pins.dowel_pin, "ground", ("steel_carbon", "stainless_ferritic"), ("8x40", "6x30", "10x50")
    ),
    "rivet": Drawing("rivet", pins.rivet, "tumbled", ("aluminium_pure", "copper", "zinc"), ("6x25", "4x16", "8x30")),
    "compression_spring": Drawing("spring", pins.compression_spring, "polished", STEELS, ("2x16",)),
    "splined_shaft": Drawing("shaft", shafts.splined_shaft, "ground", ("steel_carbon",), ("6x23x28", "6x18x22")),
    "crankshaft": Drawing("shaft", shafts.crankshaft, "forged_machined", ("steel_carbon", "iron"), ("32x28x25",)),
    "camshaft": Drawing("shaft", shafts.camshaft, "ground", ("iron", "steel_carbon"), ("16x6x8",)),
    "helical_gear": Drawing("gear", gears.helical_gear, "ground", ("steel_carbon",), ("m2.5z14",)),
    "bevel_gear": Drawing("gear", gears.bevel_gear, "machined", ("steel_carbon",), ("m4z12",)),
    "worm": Drawing("gear", gears.worm, "ground", ("steel_carbon", "stainless_ferritic"), ("m2",)),
    "ring_gear": Drawing("gear", gears.ring_gear, "machined", ("steel_carbon", "bronze_cu90zn10"), ("m1.5z48",)),
    "rack": Drawing("gear", gears.rack, "machined", STEELS, ("m2x100",)),
    "sprocket": Drawing("gear", gears.sprocket, "machined", STEELS, ("08Bz17",)),
    "ball_bearing": Drawing(
        "bearing", assemblies.ball_bearing, "ground", ("stainless_ferritic", "steel_carbon"), ("6204", "6202")
    ),
    "jaw_coupling": Drawing("coupling", covers.jaw_coupling, "turned", ("aluminium_pure", "iron"), ("24", "19")),
    "ball_valve_body": Drawing("valve", fluid.ball_valve_body, "machined", BRASS, ("G1/2", "G3/4")),
    "poppet_valve": Drawing(
        "valve", fluid.poppet_valve, "ground", ("stainless_austenitic", "titanium"), ("32x6", "26x5.5")
    ),
    "pipe_elbow": Drawing(
        "fitting", fluid.pipe_elbow, "sand_cast_machined", ("zinc", "brass_cu70zn30"), ("G1/2", "G3/4")
    ),
    "pipe_tee": Drawing("fitting", fluid.pipe_tee, "sand_cast_machined", ("zinc", "brass_cu70zn30"), ("G1/2", "G3/4")),
    "hose_barb": Drawing("fitting", fluid.hose_barb, "machined", BRASS, ("G1/4x9", "G1/2x13")),
    "drill_bit": Drawing("tool", tools.drill_bit, "ground", ("steel_carbon", "tin_nitride_PVD"), ("10", "6")),
    "end_mill": Drawing("tool", tools.end_mill, "ground", ("tungsten", "tin_nitride_PVD"), ("10", "8")),
    "spanner": Drawing("tool", tools.spanner, "forged_machined", TOOL, ("13", "10")),
    "wrench_socket": Drawing("tool", tools.wrench_socket, "polished", TOOL, ("13", "17")),
    "hex_key": Drawing("tool", tools.hex_key, "tumbled", ("black_oxide_magnetite", "nickel"), ("6", "4", "8")),
    "perforated_plate": Drawing(
        "sheet metal", covers.perforated_plate, "cold_rolled_sheet", ("zinc", *STEELS), ("Rv5-8",)
    ),
    "enclosure_cover": Drawing(
        "sheet metal", covers.enclosure_cover, "cold_rolled_sheet", ("aluminium_pure", "zinc"), ("100x70", "70x50")
    ),
    "pump_housing": Drawing("casting", fluid.pump_housing, "sand_cast_machined", CAST, ("DN20",)),
    "hand_wheel": Drawing("casting", covers.hand_wheel, "sand_cast_machined", CAST, ("125", "100")),
    "impeller": Drawing("turbine", engine.impeller, "machined", ("bronze_cu90zn10", *STEELS[1:]), ("80", "64")),
    "turbine_blade": Drawing(
        "turbine", engine.turbine_blade, "machined", ("nickel", "cobalt", "titanium"), ("60", "45")
    ),
    "piston": Drawing("piston", engine.piston, "die_cast", ("aluminium_pure",), ("70", "52")),
}
