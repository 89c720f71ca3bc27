"""Report: a page of pictures and charts for a build, and everything known about one scene, view or photo."""

from pipeline.report.report import write_report

__all__ = ["write_report"]
