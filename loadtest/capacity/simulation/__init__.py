"""A discrete-event simulation of the pipeline: API, segmenters, lanes, batches, instances."""
