//! Stripe: the helper, the requests, thin answers, rate limit, retries and signatures.
