package workaround

// UpstreamProductGradient is the gradient of a product without the work-around.
var UpstreamProductGradient = upstreamProductGradient
