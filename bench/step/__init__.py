"""What a step of weights costs, from the decision until Envoy sends the new split, beside other ways.

Law: every way changes the same object of the same service; the moment is seen in answers, not in what a tool
says; all ways are measured in turn, in one run.
"""
