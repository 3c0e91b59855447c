package uploads

import "sync"

// locks has a lock for each upload that is being written to.
type locks struct {
	mu  sync.Mutex
	all map[string]*lock
}

type lock struct {
	sync.RWMutex
	holders int // and those who wait
}

// lock waits until nobody else holds the lock of an upload, and returns what lets go of it.
func (l *locks) lock(id string) (unlock func()) {
	one := l.get(id)
	one.Lock()
	return func() { one.Unlock(); l.put(id, one) }
}

// share waits until nobody but others who share it hold the lock of an upload.
func (l *locks) share(id string) (unlock func()) {
	one := l.get(id)
	one.RLock()
	return func() { one.RUnlock(); l.put(id, one) }
}

func (l *locks) get(id string) *lock {
	l.mu.Lock()
	defer l.mu.Unlock()
	one := l.all[id]
	if one == nil {
		if l.all == nil {
			l.all = map[string]*lock{}
		}
		one = new(lock)
		l.all[id] = one
	}
	one.holders++
	return one
}

func (l *locks) put(id string, one *lock) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if one.holders--; one.holders == 0 {
		delete(l.all, id)
	}
}
