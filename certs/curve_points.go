package certs

import "math/big"

// jacobian is a point in Jacobian coordinates: x/z², y/z³. z = 0 is the point at
// infinity. With them only the last step divides.
type jacobian struct{ x, y, z *big.Int }

// sum returns the x coordinate of u·p + v·q; ok is false for the point at
// infinity. The scalars are public values: nothing here runs in constant time.
func (c *curve) sum(u *big.Int, p affine, v *big.Int, q affine) (x *big.Int, ok bool) {
	one := big.NewInt(1)
	jp, jq := jacobian{p.x, p.y, one}, jacobian{q.x, q.y, one}
	both := c.add(jp, jq)
	acc := jacobian{new(big.Int), big.NewInt(1), new(big.Int)}
	for i := max(u.BitLen(), v.BitLen()) - 1; i >= 0; i-- {
		acc = c.double(acc)
		switch {
		case u.Bit(i) == 1 && v.Bit(i) == 1:
			acc = c.add(acc, both)
		case u.Bit(i) == 1:
			acc = c.add(acc, jp)
		case v.Bit(i) == 1:
			acc = c.add(acc, jq)
		}
	}
	if acc.z.Sign() == 0 {
		return nil, false
	}
	inverse := new(big.Int).ModInverse(acc.z, c.p)
	return c.mul(acc.x, c.mul(inverse, inverse)), true
}

func (c *curve) mul(a, b *big.Int) *big.Int {
	r := new(big.Int).Mul(a, b)
	return r.Mod(r, c.p)
}

func (c *curve) sub(a, b *big.Int) *big.Int {
	r := new(big.Int).Sub(a, b)
	return r.Mod(r, c.p)
}

func (c *curve) times(a *big.Int, n int64) *big.Int { return c.mul(a, big.NewInt(n)) }

// double returns 2p: λ = 3x² + az⁴, over 2yz.
func (c *curve) double(p jacobian) jacobian {
	if p.z.Sign() == 0 || p.y.Sign() == 0 {
		return jacobian{new(big.Int), big.NewInt(1), new(big.Int)}
	}
	yy, zz := c.mul(p.y, p.y), c.mul(p.z, p.z)
	s := c.times(c.mul(p.x, yy), 4)
	m := c.mul(c.a, c.mul(zz, zz))
	m.Add(m, c.times(c.mul(p.x, p.x), 3))
	m.Mod(m, c.p)
	x := c.sub(c.mul(m, m), c.times(s, 2))
	y := c.sub(c.mul(m, c.sub(s, x)), c.times(c.mul(yy, yy), 8))
	return jacobian{x, y, c.times(c.mul(p.y, p.z), 2)}
}

// add returns p + q, which may be equal, opposite or infinite.
func (c *curve) add(p, q jacobian) jacobian {
	switch {
	case p.z.Sign() == 0:
		return q
	case q.z.Sign() == 0:
		return p
	}
	pzz, qzz := c.mul(p.z, p.z), c.mul(q.z, q.z)
	u1, u2 := c.mul(p.x, qzz), c.mul(q.x, pzz)
	s1, s2 := c.mul(p.y, c.mul(q.z, qzz)), c.mul(q.y, c.mul(p.z, pzz))
	h, r := c.sub(u2, u1), c.sub(s2, s1)
	if h.Sign() == 0 {
		if r.Sign() == 0 {
			return c.double(p)
		}
		return jacobian{new(big.Int), big.NewInt(1), new(big.Int)}
	}
	hh := c.mul(h, h)
	hhh, v := c.mul(h, hh), c.mul(u1, hh)
	x := c.sub(c.sub(c.mul(r, r), hhh), c.times(v, 2))
	y := c.sub(c.mul(r, c.sub(v, x)), c.mul(s1, hhh))
	return jacobian{x, y, c.mul(h, c.mul(p.z, q.z))}
}
