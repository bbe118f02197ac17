"""How speech is told from silence.

Stated in full, so that an upgrade of FunASR that changes a default changes nothing here.
"""

from msgspec import Struct

from actors.records import SAMPLE_RATE_HZ


class VadOptions(Struct, frozen=True, kw_only=True):
    """Every parameter of FunASR's `VADXOptions`, under its name there."""

    sample_rate: int = SAMPLE_RATE_HZ
    #: 1: many utterances; 0 would stop after the first.
    detect_mode: int = 1
    snr_mode: int = 0
    #: ms of silence that end an utterance.
    max_end_silence_time: int = 800
    #: ms; only for detect_mode 0.
    max_start_silence_time: int = 3000
    do_start_point_detection: bool = True
    do_end_point_detection: bool = True
    #: ms over which frames are counted to change between speech and silence.
    window_size_ms: int = 200
    #: ms of speech within the window that begin an utterance.
    sil_to_speech_time_thres: int = 150
    #: ms of speech within the window at or below which silence begins.
    speech_to_sil_time_thres: int = 150
    speech_2_noise_ratio: float = 1.0
    #: 1: keep the look-back and look-ahead below.
    do_extend: int = 1
    #: ms before the detected start that still belong to it.
    lookback_time_start_point: int = 200
    #: ms after the detected end that still belong to it.
    lookahead_time_end_point: int = 100
    #: ms, a day: the detector would cut inside a word, the cutter finds a quiet point.
    max_single_segment_time: int = 86_400_000
    #: Frames; overwritten by FunASR on every call.
    nn_eval_block_size: int = 8
    dcd_block_size: int = 4
    #: dB; -100 switches the two level gates off.
    snr_thres: float = -100.0
    noise_frame_num_used_for_snr: int = 100
    decibel_thres: float = -100.0
    #: A frame is speech when P(speech) >= P(silence) + this.
    speech_noise_thres: float = 0.6
    fe_prior_thres: float = 1e-4
    #: Which of the network's outputs are silence, and how many.
    silence_pdf_num: int = 1
    sil_pdf_ids: tuple[int, ...] = (0,)
    speech_noise_thresh_low: float = -0.1
    speech_noise_thresh_high: float = 0.3
    output_frame_probs: bool = False
    #: ms between frames, and of one frame.
    frame_in_ms: int = 10
    frame_length_ms: int = 25
