"""From a machinist's Ra to the GGX alpha of the microfacet model, and to Blender's Roughness and Anisotropy.

Covers: the formulas. Does not cover: the numbers of each process (`processes`). Ra is a height and GGX a slope, so a
length is needed too: the correlation length of a random surface, the nose radius of a cutting tool. How the slopes are
spread over the scales of the surface is the business of `relief`.
"""

from __future__ import annotations

import math

from pipeline.surface.processes import Process

ALPHA_RANGE = (0.002, 1.0)
"""Smallest and largest GGX alpha that we use; below it a lamp's image is as sharp as a mirror's."""
LARGEST_RATIO = 10.0
"""Largest alpha_across / alpha_along that Blender's anisotropy can express."""
CUSP_ALONG = 0.35
"""Alpha along the lay of a cut surface as a share of that across it (calibrated estimate)."""
CUSP_ALONG_FLOOR = 0.03


def alpha_random(ra_um: float, tau_um: float) -> float:
    """GGX alpha of a Gaussian random surface with correlation length *tau_um*: 2 Rq/tau with Rq = 1.25 Ra.

    The 1-D rms slope of a surface with Gaussian autocorrelation is sqrt(2) Rq/tau, and alpha = sqrt(2) times it.
    """
    return 2.5 * ra_um / tau_um


def alpha_cusp(ra_um: float, nose_radius_mm: float) -> float:
    """GGX alpha across tool cusps: 2.28 sqrt(Ra/r).

    A feed f with nose radius r leaves Ra = f^2/(31.2 r) (arithmetic mean of a parabola) and an rms slope of
    f/(sqrt(12) r); alpha = sqrt(2) times that slope.
    """
    return 2.28 * math.sqrt(ra_um * 1e-3 / nose_radius_mm)


def feed_m(ra_um: float, nose_radius_mm: float) -> float:
    """Feed per turn, or step-over, in metres, that leaves *ra_um* with a tool of that radius: sqrt(31.2 r Ra).

    The parabola f^2/(8 r) high has an arithmetic mean deviation of 4/(9 sqrt(3)) of half its height, so
    Ra = f^2/(31.2 r): the theoretical roughness of turning.
    """
    return math.sqrt(31.2 * nose_radius_mm * 1e-3 * ra_um * 1e-6)


def alpha_pair(made_by: Process, ra_um: float, scale: float) -> tuple[float, float]:
    """(alpha_across, alpha_along) that *made_by* leaves at *ra_um*, multiplied by *scale*, within what can be rendered.

    The process' micro-roughness is added in quadrature.
    """
    if made_by.tau_um is not None:
        across, along = (alpha_random(ra_um, tau) for tau in made_by.tau_um)
    elif made_by.nose_radius_mm is not None:
        across = alpha_cusp(ra_um, made_by.nose_radius_mm)
        along = min(across, max(CUSP_ALONG * across, CUSP_ALONG_FLOOR))
    else:
        raise ValueError(f"process {made_by.name} has neither tau_um nor nose_radius_mm")
    across, along = (scale * math.hypot(alpha, made_by.base_alpha) for alpha in (across, along))
    low, high = ALPHA_RANGE
    across = min(max(across, low), high)
    along = min(max(along, low, across / LARGEST_RATIO), across)
    return across, along


def alpha_to_blender(alpha_across: float, alpha_along: float) -> tuple[float, float]:
    """(Roughness, Anisotropy) of Blender's Metallic BSDF for two GGX alphas, alpha_across >= alpha_along > 0.

    Inverse of Cycles' closure code (svm/closure.h): alpha_x = r^2/s along the Tangent, alpha_y = r^2 s,
    s = sqrt(1 - 0.9 a). The larger alpha lies along the Tangent, so the Tangent stands ACROSS the lay. Raises
    ValueError when the pair cannot be expressed.
    """
    if not 0.0 < alpha_along <= alpha_across <= LARGEST_RATIO * alpha_along * (1.0 + 1e-9):
        raise ValueError(f"cannot express alphas {alpha_across} across and {alpha_along} along the lay")
    roughness = (alpha_across * alpha_along) ** 0.25
    anisotropy = (1.0 - alpha_along / alpha_across) / 0.9
    return roughness, min(max(anisotropy, 0.0), 1.0)
