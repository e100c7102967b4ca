"""Generate ahead on a model, execute in bulk on a chain, judge in Python, replay in slow truth.

What a target of one's own is written with; ``docs/fuzzing.md`` shows how.
"""

from bulkhead.fuzz.judge import Judged, Violation
from bulkhead.fuzz.operation import Call, Index, Operation, Share, Step, part
from bulkhead.fuzz.project import compile_project
from bulkhead.fuzz.target import Deployment, Target, View
from bulkhead.model.errors import ModelRevert, Revert

__all__ = [
    "Call",
    "Deployment",
    "Index",
    "Judged",
    "ModelRevert",
    "Operation",
    "Revert",
    "Share",
    "Step",
    "Target",
    "View",
    "Violation",
    "compile_project",
    "part",
]
