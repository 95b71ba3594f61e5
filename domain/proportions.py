"""How sure a counted share is. Pure.

Wilson's score interval (E. B. Wilson, 1927): unlike the usual one it holds for few cases and for
shares near 0 and 1, which is where a campaign begins.
"""

from math import sqrt

Z_95 = 1.959963984540054
"""The standard normal quantile of 97.5 %: two-sided, 95 %."""


def wilson(successes: int, trials: int, z: float = Z_95) -> tuple[float, float]:
    """The bounds within which the true share lies, by default in 95 % of cases.

    Raises ValueError unless 0 ≤ successes ≤ trials. Without trials nothing is known: 0 to 1.
    """
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} successes of {trials} trials")
    if trials == 0:
        return 0.0, 1.0
    share, spread = successes / trials, z * z / trials
    middle = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * sqrt(share * (1 - share) / trials + spread / trials / 4)
    low = 0.0 if successes == 0 else max(0.0, middle - half)
    high = 1.0 if successes == trials else min(1.0, middle + half)
    return low, high
