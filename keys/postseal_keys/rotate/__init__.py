"""Key rotation: a state machine without I/O, and the files, servers and daemon around it.

Read machine.py first: it decides.  effects.py carries its steps out, runner.py calls the two
in turn and writes the state after every step.
"""
