package samples

import "image"

// side draws a saloon from its left, the front to the left.
func (c *car) side() {
	c.yard(560)
	c.shadow(640, 738, 640, 62)
	for _, x := range []float64{352, 936} {
		c.glow(x, 746, 120, 26, hex(0x050607, 0.9))
	}
	const body = "M146 662 C132 630 128 590 142 556 C150 528 190 508 250 494 C330 474 400 462 456 456 " +
		"C522 398 584 360 652 350 C732 340 806 344 866 364 C926 386 976 424 1014 450 C1064 452 1112 458 1136 472 " +
		"C1152 500 1158 540 1156 584 C1158 620 1152 650 1140 664 L1040 690 L240 690 Z"
	c.fill(body, c.metal(345, 690))
	c.sideGlass()
	c.sideLight()
	c.fill("M140 646 L1148 646 L1136 692 L230 696 L150 672 Z", down(640, 700, hex(0x26292c, 1), hex(0x0d0e0f, 1)))
	for _, x := range []float64{352, 936} {
		c.circle(x, 656, 107, flat(0x0b0c0d, 1))
		c.wheel(x, 659, 89)
	}
	c.sideSeams()
	c.lamps()
}

// sideGlass are the windows between roof and shoulder.
func (c *car) sideGlass() {
	const frame = "M468 458 C536 398 594 368 654 360 C730 352 800 356 854 374 C908 394 956 428 984 454 Z"
	const pane = "M490 454 C548 404 600 378 656 370 C728 362 794 366 846 382 C894 400 932 428 958 450 Z"
	c.fill(frame, flat(0x14171a, 1))
	c.fill(pane, c.glass(362, 456))
	c.fill("M560 454 L628 376 L668 369 L604 454 Z", flat(0xffffff, 0.18))
	c.fill("M780 453 L812 372 L836 379 L818 452 Z", flat(0xffffff, 0.13))
	c.fill("M700 362 L716 361 L732 456 L714 456 Z", flat(0x0f1113, 1))
	c.stroke("M884 388 L912 452", 7, flat(0x0f1113, 1))
	c.fill("M484 462 C478 438 498 428 522 432 C538 436 540 452 534 462 Z", c.metal(420, 470))
	c.stroke("M468 458 L984 454", 4, down(450, 462, hex(0xf4f5f6, 0.9), hex(0x9aa0a5, 0.9)))
}

// sideLight is what the sky does on the flank: a bright shoulder, a dark crease.
func (c *car) sideLight() {
	c.fill("M160 540 C320 490 620 476 1130 484 C1140 500 1146 512 1148 520 C700 506 360 512 152 560 Z",
		down(478, 560, hex(0xffffff, 0.36), hex(0xffffff, 0)))
	c.fill("M470 592 C660 572 820 572 1010 580 L1010 640 L470 640 Z", down(572, 640, hex(0x000000, 0.18), hex(0x000000, 0.02)))
	c.stroke("M190 548 C400 512 760 508 1140 524", 2.5, image.NewUniform(withAlpha(lit(c.paint, 0.75), 0.7)))
	c.stroke("M190 552 C400 516 760 512 1140 528", 3, flat(0x000000, 0.22))
	c.stroke("M478 600 C640 582 820 582 1000 592", 2, image.NewUniform(withAlpha(lit(c.paint, 0.6), 0.4)))
	c.stroke("M462 452 C526 398 586 364 652 354 C732 344 806 348 864 367", 5, flat(0xffffff, 0.35))
}

// sideSeams are doors, handles, bonnet, bumpers and the filler flap.
func (c *car) sideSeams() {
	c.seam("M486 462 C470 520 474 590 490 642")
	c.seam("M722 460 C730 520 730 590 726 642")
	c.seam("M952 452 C962 490 940 520 900 548 C868 574 850 600 842 642")
	c.seam("M252 496 C330 488 420 478 474 466")
	c.seam("M1010 452 C1060 470 1090 476 1134 476")
	c.seam("M150 588 C190 584 220 580 242 572")
	c.seam("M1050 574 C1090 584 1120 588 1154 588")
	c.seam("M1010 500 L1046 502 L1044 532 L1012 530 Z")
	for _, x := range []float64{648, 848} {
		c.fill(box(x, 498, 62, 13), flat(0x000000, 0.35))
		c.fill(box(x, 495, 62, 11), down(493, 508, lit(c.paint, 0.6), lit(c.paint, -0.25)))
	}
}

// lamps are the head lamp, the tail lamp and the side repeater.
func (c *car) lamps() {
	c.fill("M144 556 C168 530 220 514 276 508 C262 534 210 556 146 572 Z", down(505, 575, hex(0xf6fbff, 1), hex(0x8ea0ad, 1)))
	c.stroke("M156 560 C190 542 220 530 256 520", 4, flat(0xffffff, 0.95))
	c.circle(206, 538, 9, down(528, 548, hex(0xffffff, 1), hex(0x9fb3c0, 1)))
	c.fill("M1146 494 C1112 488 1080 488 1052 492 C1064 516 1106 532 1154 538 Z", down(486, 540, hex(0xe0362f, 1), hex(0x7d1214, 1)))
	c.stroke("M1070 499 C1100 500 1124 503 1146 508", 3, flat(0xffb3a6, 0.9))
	c.fill(box(432, 542, 26, 8), flat(0xf2a43a, 0.9))
	c.fill("M136 604 L178 600 L172 628 L140 632 Z", flat(0x101214, 0.85))
}
