package samples

// top draws the car from a ladder, its front to the left.
func (c *car) top() {
	c.all(down(0, height, hex(0x8b8d8e, 1), hex(0x6b6e70, 1)))
	c.stroke("M40 130 L1240 130", 10, flat(0xf2f0e4, 0.8))
	c.stroke("M40 830 L1240 830", 10, flat(0xf2f0e4, 0.8))
	c.shadow(660, 505, 600, 290)
	for _, y := range []float64{270, 660} {
		for _, x := range []float64{270, 870} {
			c.fill(rounded(x, y, 130, 40, 14), flat(0x131415, 1))
		}
	}
	c.fill("M96 480 C96 380 120 320 176 304 C300 282 480 276 640 276 C820 276 1000 280 1110 302 C1168 318 1186 400 1186 480 "+
		"C1186 560 1168 642 1110 658 C1000 680 820 684 640 684 C480 684 300 678 176 656 C120 640 96 580 96 480 Z", c.metal(150, 900))
	c.fill("M120 470 C124 386 140 334 186 322 C320 300 500 294 640 294 C820 294 990 298 1100 318 C1110 330 1120 350 1124 372 "+
		"C800 340 400 344 160 400 C140 420 126 440 120 470 Z", down(294, 470, hex(0xffffff, 0.34), hex(0xffffff, 0)))
	c.topGlass()
	c.seam("M410 316 C374 400 374 560 410 644")
	c.seam("M1030 316 C1052 400 1052 560 1030 644")
	c.seam("M650 288 L650 322")
	c.seam("M650 638 L650 672")
	c.stroke("M180 390 C260 376 330 372 384 374", 3, flat(0x000000, 0.25))
	c.stroke("M180 570 C260 584 330 588 384 586", 3, flat(0x000000, 0.25))
	c.topLamps()
}

// topGlass is wind screen, roof and rear window, with the side windows between.
func (c *car) topGlass() {
	c.fill("M430 330 C600 308 800 308 1000 334 C1018 420 1018 540 1000 626 C800 652 600 652 430 630 C400 560 400 400 430 330 Z",
		flat(0x14181b, 1))
	c.fill("M436 338 C470 350 500 362 524 372 C508 440 508 520 524 588 C500 598 470 610 436 622 C410 550 410 410 436 338 Z",
		down(330, 630, hex(0x86a2b5, 1), hex(0x25323a, 1)))
	c.fill("M994 342 C960 352 920 362 896 372 C910 440 910 520 896 588 C920 598 960 608 994 618 C1010 540 1010 420 994 342 Z",
		down(330, 630, hex(0x7d97a9, 1), hex(0x202b32, 1)))
	c.fill("M532 366 C650 356 780 356 888 366 C902 440 902 520 888 594 C780 604 650 604 532 594 C516 520 516 440 532 366 Z",
		c.metal(250, 760))
	c.fill("M546 380 C660 370 780 370 880 380 C884 400 886 416 886 430 C780 420 640 420 538 432 C538 412 542 396 546 380 Z",
		flat(0xffffff, 0.22))
	c.fill(rounded(570, 410, 170, 140, 22), down(410, 550, hex(0x2c3a43, 1), hex(0x0f1519, 1)))
	c.fill("M590 540 L650 420 L690 420 L630 540 Z", flat(0xffffff, 0.12))
	c.fill(rounded(840, 470, 26, 20, 8), flat(0x111417, 0.9))
}

// topLamps are lamps, mirrors and the bumpers' gaps.
func (c *car) topLamps() {
	c.fill("M112 400 C120 352 140 328 186 318 C196 336 176 372 128 414 Z", flat(0xe9f1f6, 0.95))
	c.fill("M112 560 C120 608 140 632 186 642 C196 624 176 588 128 546 Z", flat(0xc9d4db, 0.95))
	c.fill("M1176 400 C1168 352 1150 326 1112 316 C1108 340 1130 380 1162 412 Z", flat(0xd6332e, 0.95))
	c.fill("M1176 560 C1168 608 1150 634 1112 644 C1108 620 1130 580 1162 548 Z", flat(0xa82522, 0.95))
	c.fill("M452 296 C446 262 464 244 490 248 C506 252 500 280 488 300 Z", c.metal(240, 330))
	c.fill("M452 664 C446 698 464 716 490 712 C506 708 500 680 488 660 Z", c.metal(560, 740))
	c.seam("M150 330 C118 420 118 540 150 630")
	c.seam("M1140 330 C1166 420 1166 540 1140 630")
}

// interior draws what is seen from between the rear seats: dash board, wheel, screen, both front seats.
func (c *car) interior() {
	c.all(down(0, height, hex(0x2a2d31, 1), hex(0x17191b, 1)))
	c.fill("M120 60 C400 20 880 20 1160 60 L1240 430 L40 430 Z", down(30, 430, hex(0xbcd7ec, 1), hex(0xe9e2d3, 1)))
	c.fill("M70 290 L1210 290 L1240 430 L40 430 Z", down(290, 430, hex(0x9b9d9c, 1), hex(0x7b7d7e, 1)))
	for i := range 3 {
		c.fill(box(250+float64(i)*280, 170, 200, 124), down(170, 294, hex(0xa9b2b8, 1), hex(0x88939b, 1)))
	}
	c.fill("M60 420 C300 372 980 372 1220 420 L1280 640 L0 640 Z", down(380, 640, hex(0x3b3f44, 1), hex(0x191b1e, 1)))
	c.stroke("M60 424 C300 378 980 378 1220 424", 4, flat(0xffffff, 0.18))
	c.fill("M0 470 L1280 470 L1280 486 L0 486 Z", flat(0x8d6a48, 0.85))
	c.fill(rounded(590, 26, 190, 56, 24), down(26, 82, hex(0x1b1d20, 1), hex(0x33373b, 1)))
	c.fill(rounded(602, 35, 166, 38, 16), down(35, 73, hex(0x5e7180, 1), hex(0x303c45, 1)))
	c.fill("M120 60 L40 430 L0 430 L0 0 L60 0 Z", flat(0x1d1f22, 1))
	c.fill("M1160 60 L1240 430 L1280 430 L1280 0 L1220 0 Z", flat(0x1d1f22, 1))
	c.console()
	c.steering(350, 520)
	c.seat(60)
	c.seat(860)
}

// console is the screen, the vents and the gear lever between the seats.
func (c *car) console() {
	c.fill(rounded(520, 400, 270, 160, 16), flat(0x0b0c0e, 1))
	c.fill(rounded(530, 410, 250, 140, 10), down(410, 550, hex(0x1e4a6d, 1), hex(0x0d2233, 1)))
	c.stroke("M545 520 C600 470 640 505 690 460 C720 440 750 450 768 430", 5, flat(0x6fd0ff, 0.9))
	c.circle(690, 460, 9, flat(0xffffff, 0.95))
	for _, x := range []float64{520, 662} {
		c.fill(rounded(x, 580, 128, 44, 10), flat(0x0b0c0e, 1))
		for i := range 3 {
			y := num(591 + float64(i)*11)
			c.stroke("M"+num(x+8)+" "+y+" L"+num(x+120)+" "+y, 3.5, flat(0x4d5358, 1))
		}
	}
	c.fill("M500 640 L810 640 L850 960 L460 960 Z", down(640, 960, hex(0x2d3034, 1), hex(0x141618, 1)))
	c.fill(rounded(580, 690, 150, 120, 26), flat(0x0c0d0f, 1))
	c.stroke("M655 780 L655 700", 18, flat(0x9ba1a6, 1))
	c.circle(655, 694, 28, down(664, 724, hex(0x4a4e53, 1), hex(0x111315, 1)))
	for _, x := range []float64{600, 710} {
		c.circle(x, 880, 44, flat(0x08090a, 1))
		c.circle(x, 886, 36, down(850, 920, hex(0x000000, 1), hex(0x26292c, 1)))
	}
}

// steering is the wheel with the instruments behind it.
func (c *car) steering(x, y float64) {
	c.fill(rounded(x-190, y-130, 380, 120, 50), flat(0x0b0c0e, 1))
	for _, dx := range []float64{-90, 90} {
		c.circle(x+dx, y-70, 54, flat(0x16191c, 1))
		c.circle(x+dx, y-70, 50, flat(0x0a0c0d, 1))
		c.stroke("M"+num(x+dx)+" "+num(y-70)+" L"+num(x+dx-28)+" "+num(y-96), 4, flat(0xff5a3c, 1))
	}
	const ring = 150.0
	k := ring * 0.5523
	path := "M" + num(x+ring) + " " + num(y) + arc(x+ring, y+k, x+k, y+ring, x, y+ring) + arc(x-k, y+ring, x-ring, y+k, x-ring, y) +
		arc(x-ring, y-k, x-k, y-ring, x, y-ring) + arc(x+k, y-ring, x+ring, y-k, x+ring, y)
	c.stroke(path, 32, flat(0x0a0b0c, 1))
	c.stroke(path, 24, down(y-ring, y+ring, hex(0x4b4f54, 1), hex(0x1c1e20, 1)))
	c.stroke("M"+num(x-140)+" "+num(y+4)+" L"+num(x+140)+" "+num(y+4), 30, flat(0x1e2023, 1))
	c.stroke("M"+num(x)+" "+num(y+20)+" L"+num(x)+" "+num(y+140), 34, flat(0x1e2023, 1))
	c.fill(rounded(x-58, y-36, 116, 92, 34), down(y-40, y+60, hex(0x45494e, 1), hex(0x1b1d20, 1)))
	c.circle(x, y+8, 18, down(y-10, y+26, hex(0xe4e7e9, 1), hex(0x8e949a, 1)))
	c.circle(x, y+8, 12, flat(0x2a2d31, 1))
}

// arc is one curve of a path.
func arc(x1, y1, x2, y2, x, y float64) string {
	return " C" + num(x1) + " " + num(y1) + " " + num(x2) + " " + num(y2) + " " + num(x) + " " + num(y)
}

// seat is the back of a front seat; x is its left edge.
func (c *car) seat(x float64) {
	leather := mix(hex(0x8a6a4c, 1), hex(0x4c5158, 1), c.warmth)
	c.glow(x+180, 900, 260, 320, hex(0x000000, 0.55))
	c.stroke("M"+num(x+140)+" 640 L"+num(x+140)+" 600", 12, flat(0xa5abb0, 1))
	c.stroke("M"+num(x+220)+" 640 L"+num(x+220)+" 600", 12, flat(0xa5abb0, 1))
	c.fill(rounded(x+80, 500, 200, 120, 44), down(500, 620, lit(leather, 0.2), lit(leather, -0.35)))
	c.fill(rounded(x, 630, 360, 420, 80), down(630, 960, lit(leather, 0.16), lit(leather, -0.5)))
	c.fill(rounded(x+64, 668, 232, 400, 50), down(660, 960, lit(leather, -0.12), lit(leather, -0.6)))
	for i := range 5 {
		lx := num(x + 96 + float64(i)*42)
		c.stroke("M"+lx+" 690 L"+lx+" 960", 2, flat(0x000000, 0.35))
	}
	c.stroke("M"+num(x+50)+" 700 C"+num(x+40)+" 800 "+num(x+40)+" 900 "+num(x+44)+" 960", 2.5, flat(0xf0e2cf, 0.5))
	c.stroke("M"+num(x+310)+" 700 C"+num(x+320)+" 800 "+num(x+320)+" 900 "+num(x+316)+" 960", 2.5, flat(0xf0e2cf, 0.5))
}
