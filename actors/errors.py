"""What can go wrong with a job, split by what the caller should do about it."""


class JobError(Exception):
    """A job ends because of this; `status` is the HTTP status that tells the client why."""

    status = 503


class UnreadableAudio(JobError):
    """The upload is damaged, holds no audio stream, or is not what it claims to be."""

    status = 422


class UnsupportedContainer(JobError):
    """The upload is not a container that can be decoded."""

    status = 415


class AudioTooLong(JobError):
    """The recording is longer than `ASR_MAX_AUDIO_S`."""

    status = 413


class PoisonousAudio(JobError):
    """Every worker that took it died; to send it again would kill more of them."""

    status = 422


class BadOption(ValueError):
    """What a client asks for cannot be read; the message begins with the name of the option."""

    def __init__(self, option: str, message: str) -> None:
        super().__init__(f"{option}: {message}")


class RecognitionFailed(Exception):
    """An engine could not recognise a segment; another try may succeed."""


class OutOfMemory(RecognitionFailed):
    """The device has no room for the batch; a smaller one may fit."""


class DeviceLost(RecognitionFailed):
    """The device does not work for this process any more; another process may find it well."""


class StartupError(Exception):
    """A process cannot start; the message names the reason and the remedy."""


def reason(error: BaseException) -> str:
    """What an error says, or its name where it says nothing."""
    return str(error) or type(error).__name__
