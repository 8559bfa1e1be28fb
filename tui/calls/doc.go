// Package calls is the tab of the calls that are open: who waits for whom and since when, and of an opened one, which
// ranks have answered, which run it, which have it queued, which have not received it and which were lost.
//
// It shows what the session tells of its calls and actors, and judges nothing but who lags behind, for which it asks
// package warn. To cancel a call is the root's business: Selected says which.
//
// INV-PARTS: the parts of an opened call hold each of its ranks exactly once.
package calls
