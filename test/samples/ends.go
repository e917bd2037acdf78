package samples

// front draws the car from before it.
func (c *car) front() {
	c.yard(520)
	c.end()
	c.fill("M456 452 C478 378 506 330 538 318 C606 306 674 306 742 318 C774 330 802 378 824 452 C720 436 560 436 456 452 Z",
		c.glass(306, 470))
	c.fill("M520 440 L604 312 L668 310 L596 436 Z", flat(0xffffff, 0.14))
	c.stroke("M470 452 C560 438 640 436 650 446", 5, flat(0x0a0b0c, 0.9))
	c.stroke("M650 450 C720 440 780 444 812 452", 5, flat(0x0a0b0c, 0.9))
	c.seats()
	c.fill("M372 512 C396 474 430 458 462 454 C570 438 710 438 818 454 C850 458 884 474 908 512 C800 530 480 530 372 512 Z",
		down(438, 530, lit(c.paint, 0.42), lit(c.paint, 0.02)))
	c.stroke("M500 456 C488 480 480 500 476 516", 3, flat(0xffffff, 0.3))
	c.stroke("M780 456 C792 480 800 500 804 516", 3, flat(0xffffff, 0.3))
	c.seam("M372 513 C480 531 800 531 908 513")
	c.grille()
	for _, m := range []bool{false, true} {
		c.mirror = m
		c.headlamp()
		c.wingMirror()
	}
	c.mirror = false
	c.drawPlate(640, 668)
}

// end is what front and rear have in common: shadow, tyres, cabin, lower body.
func (c *car) end() {
	c.shadow(640, 772, 430, 50)
	for _, x := range []float64{362, 828} {
		c.fill(rounded(x, 640, 90, 138, 22), down(640, 780, hex(0x0c0d0e, 1), hex(0x2a2c2e, 1)))
		for i := range 5 {
			c.stroke("M"+num(x+12+float64(i)*16)+" 720 L"+num(x+12+float64(i)*16)+" 772", 2.5, flat(0x000000, 0.6))
		}
	}
	c.fill("M420 470 C448 366 482 300 522 286 C594 272 686 272 758 286 C798 300 832 366 860 470 Z", c.metal(270, 520))
	c.stroke("M524 292 C596 278 684 278 756 292", 6, flat(0xffffff, 0.4))
	c.fill("M344 610 C340 548 350 514 376 498 C480 462 800 462 904 498 C930 514 940 548 936 610 C942 664 938 704 924 730 "+
		"C800 752 480 752 356 730 C342 704 338 664 344 610 Z", c.metal(455, 750))
	c.fill("M352 706 C480 728 800 728 928 706 C926 720 924 730 918 736 C800 758 480 758 362 736 C356 730 354 720 352 706 Z",
		flat(0x15171a, 1))
}

// seats are seen darkly behind the glass.
func (c *car) seats() {
	for _, x := range []float64{516, 690} {
		c.fill(rounded(x, 384, 76, 52, 20), flat(0x0b0f12, 0.55))
		c.fill(rounded(x+18, 358, 40, 26, 11), flat(0x0b0f12, 0.55))
	}
	c.fill(rounded(612, 318, 56, 15, 7), flat(0x0a0c0e, 0.85))
}

// grille is the nose between the lamps, and the air intake below the plate.
func (c *car) grille() {
	c.fill("M508 552 L772 552 L744 626 L536 626 Z", down(552, 626, hex(0xdde1e4, 1), hex(0x82898f, 1)))
	c.fill("M518 559 L762 559 L738 619 L542 619 Z", flat(0x0d0f11, 1))
	for i := range 4 {
		y, in := 568+float64(i)*13, 4+float64(i)*5
		c.stroke("M"+num(522+in)+" "+num(y)+" L"+num(758-in)+" "+num(y), 3.5, flat(0x8b939a, 0.9))
	}
	c.circle(640, 589, 21, down(568, 610, hex(0xf5f7f8, 1), hex(0x9299a0, 1)))
	c.circle(640, 589, 15, flat(0x22262a, 1))
	c.stroke("M632 596 L640 580 L648 596", 4, flat(0xe6e9eb, 1))
	c.fill("M470 706 L810 706 L790 732 L490 732 Z", flat(0x08090a, 1))
}

// headlamp is the one on the left of the picture.
func (c *car) headlamp() {
	c.fill("M362 546 C392 536 448 544 494 562 C488 590 452 602 408 598 C374 594 358 574 362 546 Z",
		down(538, 600, hex(0x38424a, 1), hex(0x12171b, 1)))
	c.stroke("M370 552 C400 544 446 552 486 566", 5, flat(0xf4fbff, 1))
	for _, x := range []float64{408, 450} {
		c.circle(x, 576, 15, down(560, 592, hex(0xffffff, 1), hex(0x9db4c4, 1)))
		c.circle(x, 576, 7, flat(0xf8fdff, 1))
	}
	c.fill("M358 646 L448 652 L440 690 L372 688 Z", flat(0x121417, 0.95))
	c.circle(404, 670, 12, down(658, 682, hex(0xf3f6f8, 1), hex(0x98a2a9, 1)))
}

// wingMirror is the one on the left of the picture.
func (c *car) wingMirror() {
	c.stroke("M430 452 L398 446", 10, flat(0x14171a, 1))
	c.fill("M400 460 C372 466 346 458 344 440 C346 424 372 418 396 424 C408 430 410 452 400 460 Z", c.metal(415, 470))
}

// rear draws the car from behind it.
func (c *car) rear() {
	c.yard(520)
	c.end()
	c.fill("M466 446 C488 378 512 334 542 322 C606 311 674 311 738 322 C768 334 792 378 814 446 C720 456 560 456 466 446 Z",
		c.glass(311, 462))
	c.fill("M700 450 L742 326 L766 346 L744 449 Z", flat(0xffffff, 0.15))
	for i := range 6 {
		y := 350 + float64(i)*16
		c.stroke("M"+num(520-float64(i)*7)+" "+num(y)+" L"+num(760+float64(i)*7)+" "+num(y), 1.2, flat(0xb98a54, 0.45))
	}
	c.fill(box(606, 330, 68, 8), flat(0xb3221f, 0.9))
	c.fill("M404 500 C430 470 470 458 520 456 C600 452 680 452 760 456 C810 458 850 470 876 500 C720 514 560 514 404 500 Z",
		down(452, 514, lit(c.paint, 0.45), lit(c.paint, 0.05)))
	c.seam("M404 502 C440 560 446 610 450 640 C560 652 720 652 830 640 C834 610 840 560 876 502")
	c.stroke("M360 664 C480 682 800 682 920 664", 3, flat(0x000000, 0.35))
	for _, m := range []bool{false, true} {
		c.mirror = m
		c.taillamp()
		c.wingMirror()
	}
	c.mirror = false
	c.stroke("M556 570 L724 570", 9, down(564, 576, hex(0xf2f4f5, 1), hex(0x8d949a, 1)))
	c.circle(640, 535, 19, down(516, 554, hex(0xf5f7f8, 1), hex(0x9299a0, 1)))
	c.circle(640, 535, 13, flat(0x22262a, 1))
	c.stroke("M633 541 L640 528 L647 541", 3.5, flat(0xe6e9eb, 1))
	c.drawPlate(640, 610)
}

// taillamp is the one on the left of the picture, with reflector and exhaust below.
func (c *car) taillamp() {
	c.fill("M352 528 C390 516 446 522 500 536 C504 562 496 580 486 586 C440 596 388 592 354 580 C346 564 346 544 352 528 Z",
		down(518, 594, hex(0xd42f2b, 1), hex(0x6d0f12, 1)))
	c.stroke("M364 538 C402 530 450 536 490 546", 6, flat(0xff8f80, 0.85))
	c.fill("M366 560 L430 566 L428 584 L368 578 Z", flat(0xf4e9e4, 0.75))
	c.fill("M360 660 L424 668 L422 680 L360 672 Z", flat(0xa31a1c, 0.95))
	c.fill(rounded(408, 718, 84, 26, 12), down(718, 746, hex(0xe6e9eb, 1), hex(0x70777d, 1)))
	c.fill(rounded(415, 724, 70, 16, 8), flat(0x0a0b0c, 1))
}
