"""From an upload to the segments that are recognised: sniff, decode, detect speech, cut."""
