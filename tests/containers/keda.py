"""What is used here of KEDA's ScaledObject and its scaler `metrics-api`, as KEDA 2.17 documents them.

https://keda.sh/docs/2.17/reference/scaledobject-spec/ and https://keda.sh/docs/2.17/scalers/metrics-api/:
whatever is not listed here is refused.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct


class _Strict(Struct, frozen=True, forbid_unknown_fields=True):
    pass


class _Policy(_Strict, frozen=True):
    type: Literal["Pods", "Percent"]
    value: Annotated[int, Meta(gt=0)]
    periodSeconds: Annotated[int, Meta(gt=0, le=1800)]  # noqa: N815 - as it is written there


class _Rules(_Strict, frozen=True):
    stabilizationWindowSeconds: Annotated[int, Meta(ge=0, le=3600)]  # noqa: N815
    policies: list[_Policy]


class _Behavior(_Strict, frozen=True):
    scaleUp: _Rules  # noqa: N815
    scaleDown: _Rules  # noqa: N815


class _Autoscaler(_Strict, frozen=True):
    behavior: _Behavior


class _Advanced(_Strict, frozen=True):
    horizontalPodAutoscalerConfig: _Autoscaler  # noqa: N815


class _Target(_Strict, frozen=True):
    name: str


class _Fallback(_Strict, frozen=True):
    failureThreshold: int  # noqa: N815
    replicas: int
    behavior: Literal["static", "currentReplicas", "currentReplicasIfHigher", "currentReplicasIfLower"]


class _Metadata(_Strict, frozen=True):
    url: str
    format: Literal["json", "xml", "yaml", "prometheus"]
    valueLocation: str  # noqa: N815
    targetValue: Annotated[str, Meta(pattern=r"^\d+(\.\d+)?$")]  # noqa: N815


class _Trigger(_Strict, frozen=True):
    type: Literal["metrics-api"]
    metadata: _Metadata


class ScaledObject(_Strict, frozen=True):
    """Its `spec`."""

    scaleTargetRef: _Target  # noqa: N815
    minReplicaCount: Annotated[int, Meta(ge=1)]  # noqa: N815
    maxReplicaCount: int  # noqa: N815
    fallback: _Fallback
    triggers: list[_Trigger]
    advanced: _Advanced | None = None
