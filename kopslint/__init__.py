"""kopslint replays a kops change plan and says what it does to etcd.

Imports only ever point to the left::

    text, inputs, syntax -> shell, notations -> kops -> commands, change -> model
    -> checks, planner -> engine -> cli

``report`` depends on findings alone. tests/test_architecture.py checks all this.

``kopslint.engine.check`` is the whole tool as one pure call; ``kopslint.cli`` is
its terminal front.
"""

__version__ = "0.1.0"
