"""pydub, without the warning that it finds no ffmpeg: FFmpeg's own libraries encode (`encoding`)."""

import warnings

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message="Couldn't find ff")
    from pydub import AudioSegment
    from pydub.silence import detect_leading_silence

__all__ = ["AudioSegment", "detect_leading_silence"]
