"""What a test needs of the machine."""

import pytest

from actors.engines.int8 import processor

needs_avx2 = pytest.mark.skipif(not processor.multiplies_integers(), reason="this processor has no AVX2")
