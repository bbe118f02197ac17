"""Whether a model hub can be reached, found out without waiting long for one that cannot."""

import contextlib
import http.client
import queue
import threading
import time
import urllib.request
from typing import Final

from actors.weights.manifest import HuggingFace, Model, ModelScope

#: All hubs together have this long to answer.
PATIENCE_S: Final = 3.0


def answers(model: Model, patience_s: float = PATIENCE_S) -> bool:
    """Whether one of the model's hubs, all asked at once, offers its smallest file."""
    path = min(model.files, key=lambda file: file.size_bytes).path
    heard: queue.SimpleQueue[bool] = queue.SimpleQueue()
    ends_s = time.monotonic() + patience_s
    for source in model.hubs:
        # No thread is waited for: the name of a host may take half a minute not to be found.
        threading.Thread(target=_ask, args=(source, path, patience_s, heard), daemon=True).start()
    with contextlib.suppress(queue.Empty):
        return any(heard.get(timeout=max(0.0, ends_s - time.monotonic())) for _ in model.hubs)
    return False


def _ask(
    source: ModelScope | HuggingFace, path: str, patience_s: float, heard: "queue.SimpleQueue[bool]"
) -> None:
    try:
        with urllib.request.urlopen(source.url(path), timeout=patience_s):  # noqa: S310 - the manifest's hubs
            heard.put(True)
    except (OSError, ValueError, http.client.HTTPException):
        heard.put(False)
