"""Everyday nouns for the 1,000 classes of ImageNet, and the places and people that some classes suggest.

The classes are finer than what a person says: there are 118 breeds of dog. A noun collects all classes that it names, so that
their probabilities add up. Classes without an everyday noun, and classes that the network often confuses, are left out.
"""

from __future__ import annotations

_NOUNS = """
fish: 0 1 389-397; shark: 2-4; ray: 5 6; bird: 7-24 80-100 127-146; lizard: 25-28 38-48; frog: 30-32; turtle: 33-37;
crocodile: 49 50; snake: 52-68; spider: 70 72-77; scorpion: 71; snail: 113 114; jellyfish: 107; crab: 118-121 125; lobster:
122-124; kangaroo: 104; koala: 105; whale: 147 148; seal: 149 150; dog: 151-268 273; wolf: 269-272 274 275; fox: 277-280;
cat: 281-285; lion: 291; tiger: 292; leopard: 288-290; cheetah: 293; bear: 294-297; panda: 388; meerkat: 299; insect:
300-320; butterfly: 321-326; starfish: 327; rabbit: 330-332; hamster: 333; squirrel: 335; beaver: 337; guinea pig: 338;
horse: 339 603; zebra: 340; pig: 341-343; hippo: 344; cow: 345; buffalo: 346 347; sheep: 348 349; goat: 350; antelope:
351-353; camel: 354; llama: 355; otter: 360; badger: 362; sloth: 364; monkey: 365-384; elephant: 101 385 386; red panda:
387; airplane: 404 895 908; ship: 403 510 628 724; boat: 472 484 554 576 625 693 780 814 871 914; submarine: 833; airship:
405; balloon: 417; parachute: 701; car: 436 468 511 581 609 627 656 661 751 817; bus: 654 779 874; truck: 555 569 675 717
864 867; ambulance: 407; train: 466 547 565 705 820 829; tractor: 866; motorcycle: 665 670; bicycle: 444 671; tricycle: 870;
shopping cart: 791; wheel: 479 694; traffic light: 920; street sign: 919; parking meter: 704; mailbox: 637; bridge: 821 839
888; castle: 483; church: 497; mosque: 668; lighthouse: 437; fountain: 562; fence: 489 716 912; dam: 525; barn: 425; tent:
672; flagpole: 557; bench: 703; umbrella: 879; backpack: 414; handbag: 748; suit: 834; tie: 906 457; hat: 515 808;
sunglasses: 836 837; shoe: 514 630 770 774; racket: 752; ball: 429 430 574 722 768 805 852 890; skis: 795; football helmet:
560; snowmobile: 802; sled: 537; paddle: 693; swing: 843; piano: 579 881; guitar: 402 546; violin: 889 486; drum: 541;
trumpet: 513 566; saxophone: 776; harp: 594; flute: 558; accordion: 401; chair: 423 559 765 857; couch: 831; bed: 520 564;
table: 532; desk: 526; bookcase: 453; wardrobe: 894; lamp: 619 846; curtain: 794; clock: 409 530 892; vase: 883; potted
plant: 738; candle: 470; pillow: 721; teddy bear: 850; bathtub: 435 876; sink: 896; toilet: 861; washing machine: 897;
refrigerator: 760; microwave: 651; oven: 827 766; toaster: 859; dishwasher: 534; pan: 567 909; coffee maker: 550; coffee:
967; teapot: 849; bottle: 440 720 737 898 907; cup: 504 968; wine glass: 572; beer: 441; plate: 923; bowl: 659 809; spoon:
910; knife: 499; bucket: 463; basket: 790; barrel: 427; computer: 527; laptop: 620 681; keyboard: 508 878; mouse: 673;
monitor: 664 782; television: 851; printer: 742; phone: 487 528 707; camera: 732 759; radio: 754; remote control: 761; book:
921; comic book: 917; menu: 922; crossword puzzle: 918; pencil: 749; pen: 418 563; envelope: 549; hammer: 587; tool: 477 596
740 784; hair dryer: 589; bread: 930 931 932; hamburger: 933; hot dog: 934; mashed potatoes: 935; cabbage: 936; broccoli:
937; cauliflower: 938; zucchini: 939; squash: 940-942; cucumber: 943; artichoke: 944; bell pepper: 945; mushroom: 947 991
992 993 994 995 996 997; apple: 948; strawberry: 949; orange: 950; lemon: 951; fig: 952; pineapple: 953; banana: 954;
pomegranate: 957; pasta: 959; soup: 925; pizza: 963; burrito: 965; ice cream: 928 929; meat: 962; corn: 987 998; flower: 985
986; wine: 966; acorn: 988; mountain: 970 972 979 980; coral reef: 973; geyser: 974; snowplow: 803
"""
_WIDER_NOUNS = """
animal: 0-397; vehicle: 407 436 444 450 468 511 555 569 573 575 586 595 609 612 627 654 656 661 665 670 671 675 690 717 734
751 757 779 802 803 817 829 847 864 866 867 870 874; boat: 403 449 472 484 510 536 554 576 625 628 693 724 780 814 833 871
914; train: 466 547 565 705 820 829; food: 415 924-969 987 998 809 923; computer: 508 526 527 590 620 664 673 681 782 878;
building: 410 425 437 449 483 497 498 538 580 624 663 668 698 716 727 762 832 839 853 858 873 900 915; musical instrument:
401 402 420 432 486 494 513 541 546 558 566 577 579 593 594 641 642 683 684 687 699 776 822 875 881 889; ball: 429 430 522
574 722 747 768 805 852 890; furniture: 423 431 453 493 495 516 520 526 532 548 553 559 564 736 765 831 846 857 894; plant:
738 984-990 580
"""
_PLACES = """
on a tennis court: 752 852; on the beach: 977 978; by the water: 460 536 975; in a bathroom: 435 876 648 794 804 861 896
999; in a kitchen: 827 760 651 534 766 859 550; at a desk: 526 527 620 681 673 508 664; on a street: 920 919 874 829 704
705; in a restaurant: 762; in a shop: 415 467 509 582 788 860; in a library: 624 453; on a baseball field: 429; on snow: 537
795 802 803; on the water: 472 484 554 576 625 693 780 814 871 914 403 628; on a patio: 706; in a church: 406; on a stage:
819; in a greenhouse: 580
"""
_PEOPLE = """
399 400 416 430 433 445 450 459 465 474 501 515 537 560 568 578 601 608 610 614 617 655 671 683 689 702 735 746 752 768 775 776 793
795 834 841 842 869 880 889 890 903 906 981 982 983
"""


def _indices(spec: str) -> tuple[int, ...]:
    indices: list[int] = []
    for part in spec.split():
        first, _, last = part.partition("-")
        if first:
            indices += range(int(first), int(last or first) + 1)
    return tuple(indices)


def _table(text: str) -> dict[str, tuple[int, ...]]:
    rows = (row.partition(":") for row in " ".join(text.split()).split(";") if row.strip())
    return {name.strip(): indices for name, _, spec in rows if (indices := _indices(spec))}


NOUNS = _table(_NOUNS)
"""Class numbers for each noun."""
WIDER_NOUNS = _table(_WIDER_NOUNS)
"""Class numbers for each wider noun. It is used when the network is sure of the kind of object but not of the object."""
PLACES = _table(_PLACES)
"""Class numbers for each place where such objects are found."""
PEOPLE = _indices(_PEOPLE)
"""Class numbers of objects that a person almost always wears, plays or rides."""

OBJECT_NAMES = {
    "racket": "tennis racket",
    "monitor": "television",
    "phone": "cell phone",
    "computer": "laptop",
    "hamburger": "sandwich",
    "ship": "boat",
}
"""For some nouns, the name that the object detector gives the same object."""
OBJECTS_BY_NOUN = {
    "animal": {"bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe"},
    "vehicle": {"bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat"},
    "food": {"banana", "apple", "sandwich", "orange", "broccoli", "carrot", "hot dog", "pizza", "donut", "cake"},
    "computer": {"laptop", "keyboard", "mouse"},
    "furniture": {"bench", "chair", "couch", "bed", "table"},
    "plant": {"potted plant"},
}
"""For each wider noun, the detected objects that make it redundant."""
