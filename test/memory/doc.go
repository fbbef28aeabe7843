// Package memory runs flows without a database, for scenario tests: the same
// rules as package durable, a clock that tests move, a restart after every
// step on demand, and a way to wait until nothing moves any more.
//
// A story is played like this:
//
//	e := memory.New(memory.Options{RestartAfterEachStep: true})
//	e.Register(flow.Versions())
//	e.Launch(ctx)
//	e.Accept(ctx, event)
//	e.Idle(ctx)                  // every flow waits or has ended
//	e.Advance(ctx, time.Hour)    // poll by poll
//	e.Store().Steps()            // to compare with the same story without restarts
//
// The package contract below it holds the tests that both engines must pass.
package memory
