"""A new version gets its traffic step by step, and loses it by itself when the figures are bad.

Law: the stack stays the one owner. Every step is written into the stack file and is a `pulumi up` of the
ordinary project; nothing here changes an object of the cluster in any other way.
"""
