"""``ganglion verify``: does this machine compute what every machine computes?"""
