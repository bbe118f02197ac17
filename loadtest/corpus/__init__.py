"""Recordings to send: made from packaged speech, or a folder of the user's, with what is said in them."""

from loadtest.corpus.made import recordings
from loadtest.corpus.own import folder
from loadtest.corpus.recording import Recording
from loadtest.corpus.scoring import error_rate

__all__ = ["Recording", "error_rate", "folder", "recordings"]
