"""SenseVoice in 8-bit integers, for CPUs that multiply those fastest (AVX2, better AVX-512 VNNI).

Weights have a scale per output, inputs one per frame, found as they come. Rows are laid end to end, without
padding: all but attention and the memory works frame by frame, so what becomes of a row does not depend on
those beside it, to the last bit.
"""
