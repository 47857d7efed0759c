"""Lambda functions, each in processes of its own, forked from one warm parent.

`Functions` (invoker.py) has a pool of sandboxes per function. A sandbox is a process that runs
awslambdaric's own bootstrap: its handler loading, context, logging and error format are the ones of AWS. In
place of the HTTP Runtime API it speaks frames over a socket pair (channel.py): a crash is an end of file at
once, an invocation costs no HTTP, and no port is needed. The warm parent (zygote.py) has boto3 and friends
imported already, so that a cold start is a fork. A pool (pool.py) keeps them as long as code (sources.py)
and keys are the same. What they print comes through pipes (output.py) into the logs (logs.py), and one thread
(overseer.py) sees to it that none holds more memory than it may (memory.py).

This module imports nothing: the warm parent must stay small.
"""
