"""kopslint replays a kops change plan and says what it does to etcd.

The folders are the architecture, and imports only ever point to the left::

    source -> syntax -> kops, etcd -> commands, change -> simulate -> checks -> report

``kopslint.engine.check`` is the whole tool as one pure call; ``kopslint.cli`` is
its terminal front.
"""

__version__ = "0.1.0"
