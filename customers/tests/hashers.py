from chassis.hashers import Argon2id


class Cheap(Argon2id):
    """The real algorithm, as cheap as it goes: tests hash a lot."""

    time_cost = 1
    memory_cost = 8
