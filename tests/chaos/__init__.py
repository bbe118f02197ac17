"""Faults under load: what is promised whatever dies, stalls, hangs or fills up (`just chaos`)."""
