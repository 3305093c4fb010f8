package exchange

import "context"

// Waiting counts the documents on which somebody of actor's agency has to decide:
// those not yet accepted or refused, and those that arrived damaged. It counts no
// further than limit of each, since more is only "many".
func (in *Inbox) Waiting(ctx context.Context, actor Actor, limit int) (n int, err error) {
	err = in.Store.View(ctx, func(tx Tx) error {
		n = 0
		for _, state := range []InboxState{InboxWaiting, InboxDamaged} {
			some, err := tx.CountInbox(ctx, actor.Agency, KindDocument, state, limit)
			if err != nil {
				return err
			}
			n += some
		}
		return nil
	})
	return n, err
}
