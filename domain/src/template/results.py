"""Makes samples/results.csv: what SciPy says of proportions, for the tests of results.rs.

Run: python3 results.py > samples/results.csv   (SciPy 1.x)

The interval is scipy.stats.binomtest(...).proportion_ci(method="wilson"). The always valid p-value is the inverse of the
mixture likelihood ratio: the difference's density under N(0, V + tau^2) over that under N(0, V), both by
scipy.stats.norm, which is another way to say what results.rs reckons in closed form.
"""

import random

from scipy.stats import binomtest, norm

TAU2 = 1e-4


def p_value(x1, n1, x2, n2):
    pooled = (x1 + x2) / (n1 + n2)
    variance = pooled * (1 - pooled) * (1 / n1 + 1 / n2)
    if variance <= 0:
        return 1.0
    difference = x1 / n1 - x2 / n2
    under_none = norm.logpdf(difference, scale=variance**0.5)
    under_some = norm.logpdf(difference, scale=(variance + TAU2) ** 0.5)
    from math import exp

    return min(1.0, exp(under_none - under_some))


random.seed(20261122)
print("hits,of,control_hits,control_of,low,high,p")
for _ in range(250):
    n1, n2 = (int(10 ** random.uniform(1.8, 5)) for _ in range(2))
    x1, x2 = (random.randint(0, int(n * random.choice([0.02, 0.3, 1.0]))) for n in (n1, n2))
    interval = binomtest(x1, n1).proportion_ci(method="wilson")
    print(f"{x1},{n1},{x2},{n2},{interval.low!r},{interval.high!r},{p_value(x1, n1, x2, n2)!r}".replace("np.float64(", "").replace(")", ""))
