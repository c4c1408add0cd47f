"""The people of the load test. Needs locust and nothing else, so that `pip install locust` is enough to run it."""

SHAPES = ("smoke", "steady", "steps", "spike", "flash", "soak")
"""What SHAPE may be: the classes of shapes.py."""
