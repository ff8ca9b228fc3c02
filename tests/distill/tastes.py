"""Two small sets of preferences to develop the head on: easy ones that words give away, hard ones that they do not.

What enters: nothing. What leaves: pairs of a made-up person for each way of taking sides. Each dimension has prompts
with an answer of either side; in the hard set no content word of an answer to be held out is in one to be learnt from.
The figures that are reported come from another set (memoria/evaluate/suites/mirrored).
"""

from __future__ import annotations

from collections.abc import Sequence

from memoria.distill.records import Pair

HELD_OUT = 3  # of each dimension, its last

# (prompt, one side, the other side); each list is one dimension.
EASY: dict[str, list[tuple[str, str, str]]] = {
    "food": [
        ("What should I cook tonight?", "A vegetarian lentil curry.", "A beef steak with butter."),
        ("Any idea for lunch?", "A vegetarian wrap with hummus.", "A roast beef sandwich."),
        ("Which soup would suit me?", "A vegetarian tomato soup.", "A beef broth with marrow."),
        ("What can I order at the diner?", "The vegetarian burger.", "The beef burger."),
        ("What should I bring to the barbecue?", "Vegetarian skewers.", "Beef ribs."),
        ("Which pizza should I take?", "A vegetarian pizza with peppers.", "A pizza with ground beef."),
        ("What goes into the pie?", "A vegetarian filling of leeks.", "A filling of stewed beef."),
        ("What should I freeze for the week?", "Portions of vegetarian chili.", "Portions of beef goulash."),
    ],
    "books": [
        ("What should I read next?", "A science fiction novel about Mars.", "A romance novel set in Paris."),
        ("A book for the train?", "A science fiction classic by Lem.", "A romance by Georgette Heyer."),
        ("Which audiobook is good?", "A science fiction saga with robots.", "A romance with a duke."),
        ("What should the book club pick?", "A science fiction debut.", "A romance debut."),
        ("A present for myself, on paper?", "A box of science fiction stories.", "A box of romance stories."),
        ("What is worth borrowing?", "The new science fiction thriller.", "The new summer romance."),
        ("A bedtime story for me?", "Some short science fiction.", "Some short romance."),
        ("Which series should I begin?", "A science fiction trilogy.", "A romance trilogy."),
    ],
    "travel": [
        ("How do I get to Rome?", "Take the night train.", "Take a flight from the airport."),
        ("How should I visit my aunt?", "By train along the coast.", "By plane, a flight of an hour."),
        ("The best way to Munich?", "A direct train at nine.", "A cheap flight at nine."),
        ("How do we reach the lake?", "The regional train goes there.", "A flight and a transfer."),
        ("How do I go to the fair?", "The fast train every hour.", "A morning flight."),
        ("How to get to the wedding?", "A train with a sleeper.", "A flight with one stop."),
        ("Travel to the office in Lyon?", "Book a train seat.", "Book a flight."),
        ("How should I go home for the holidays?", "Go by train on Friday.", "Go by flight on Friday."),
    ],
    "music": [
        ("What should I listen to while cooking?", "Some jazz by Ella Fitzgerald.", "Some techno from Berlin."),
        ("Music for the drive?", "A jazz quartet live.", "A techno set."),
        ("Which concert should I go to?", "The jazz night downtown.", "The techno night downtown."),
        ("Something to wake up to?", "Gentle jazz piano.", "Driving techno beats."),
        ("A record for my shelf?", "A jazz record of 1959.", "A techno record of 1994."),
        ("What station should I set?", "A jazz station.", "A techno station."),
        ("What to play at dinner?", "Jazz standards.", "Minimal techno."),
        ("A festival for July?", "A jazz festival.", "A techno festival."),
    ],
    "drinks": [
        ("What should I drink in the morning?", "A pot of green tea.", "A strong coffee."),
        ("Something warm at the office?", "Tea with lemon.", "A coffee with milk."),
        ("What can I order at the cafe?", "Their black tea.", "Their filter coffee."),
        ("A drink after the walk?", "Peppermint tea.", "A coffee to go."),
        ("What should I take along in the flask?", "Some ginger tea.", "Some coffee."),
        ("What should I buy at the market?", "Loose leaf tea.", "Coffee beans."),
        ("A treat for the afternoon?", "Iced tea.", "Iced coffee."),
        ("What to have with the cake?", "A cup of tea.", "A cup of coffee."),
    ],
    "sports": [
        ("How should I train today?", "Go for a swim in the pool.", "Go for a run in the park."),
        ("Some sport at the weekend?", "A swim in the lake.", "A run of ten kilometres."),
        ("Which club should I join?", "The swimming club.", "The running club."),
        ("A way to stay fit in winter?", "Swimming indoors.", "Running on a treadmill."),
        ("What should I put on my calendar?", "A swim on Tuesday.", "A run on Tuesday."),
        ("How do I warm up?", "Swim a few easy lengths.", "Run a few easy minutes."),
        ("Which course is for me?", "A course to swim the crawl.", "A course to run uphill."),
        ("A goal for spring?", "To swim two kilometres.", "To run a half marathon."),
    ],
}

HARD: dict[str, list[tuple[str, str, str]]] = {
    "calm": [
        ("Where should we eat on Friday?", "A hushed place with four tables.", "The packed bar with the live band."),
        ("What about Saturday night?", "Stay in with a novel and a blanket.", "Dance until the club closes."),
        ("A holiday in May?", "A cabin by a still pond.", "A resort full of beach parties."),
        ("Where can I work tomorrow?", "The reading room of the library.", "The buzzing cafe on Main Street."),
        ("How should I celebrate my birthday?", "Tea with a dear friend.", "A huge bash with fifty guests."),
        ("Which flat suits me?", "Lodgings facing the silent courtyard.", "The loft above the tavern."),
        ("What can I do after work?", "Soak in a warm bath, early to bed.", "Meet the noisy pub quiz crowd."),
        ("How to spend New Year?", "Gazing at stars from a lonely hill.", "Fireworks amid a cheering throng."),
    ],
    "thrift": [
        ("Which phone should I get?", "A refurbished one, two years old.", "The newest flagship model."),
        ("Dinner with my sister?", "Leftovers turned into a stew.", "The seven-course tasting menu."),
        ("Where do I stay in Vienna?", "A bunk in the hostel.", "A suite at the Grand Hotel."),
        ("I need a coat.", "Try the second-hand shop.", "A cashmere one from the boutique."),
        ("How do I get a new look for my room?", "Repaint it yourself.", "Hire an interior designer."),
        ("What present for my boss?", "Homemade jam.", "A bottle of vintage champagne."),
        ("Which seats for the opera?", "Standing tickets in the gallery.", "A private box in the front."),
        ("My bike broke down.", "Patch the tube with a cheap kit.", "Buy a carbon racer instead."),
    ],
    "daring": [
        ("What should I do on the island?", "Jump off the cliffs into the sea.", "Lie under a parasol."),
        ("How shall I invest the bonus?", "Put it all into one start-up.", "Leave it in a savings account."),
        ("An idea for a day off?", "Paragliding over the valley.", "A stroll around the garden."),
        ("Should I take the job abroad?", "Leap at it and see what happens.", "Keep the secure post you hold."),
        ("What to eat in Bangkok?", "Fried scorpions from a stall.", "Plain rice at the hotel."),
        ("Which road to the summit?", "Climb the exposed ridge.", "Use the cable car."),
        ("How do I learn to surf?", "Paddle straight into big waves.", "Practise on dry sand first."),
        ("My hair bores me.", "Dye it purple tonight.", "Trim the ends a little."),
    ],
    "company": [
        ("What about a hobby?", "Join a choir.", "Carve wood in the shed."),
        ("How do I prepare for the exam?", "Form a study group.", "Shut the door and revise."),
        ("Any plans for Sunday?", "Invite the neighbours over for brunch.", "Wander through the woods by yourself."),
        ("How should I travel in Peru?", "With a guided tour of twenty.", "Backpacking solo."),
        ("How do I exercise?", "A team sport such as volleyball.", "Push-ups in your bedroom."),
        ("Where could I write my thesis?", "A shared office with colleagues.", "A hut far from anybody."),
        ("What to do at lunch?", "Eat together with the whole crew.", "Take a sandwich to an empty bench."),
        ("How shall I spend the evening?", "Call up pals and play board games.", "Enjoy solitude with a crossword."),
    ],
    "planning": [
        ("How should I see Lisbon?", "Keep to an hourly itinerary.", "Drift wherever your feet go."),
        ("What is for dinner this week?", "A menu fixed on Monday.", "Whatever the fridge yields."),
        ("How do I start my essay?", "Draw up a detailed outline.", "Just begin typing and improvise."),
        ("When do I buy the tickets?", "Reserve them six months ahead.", "At the last minute at the door."),
        ("How to run the meeting?", "Circulate an agenda with timings.", "Let talk flow freely."),
        ("How do I pack?", "Tick off a checklist.", "Throw some stuff into a bag."),
        ("My week looks full.", "Schedule every task in blocks.", "Follow your mood each day."),
        ("A garden from scratch?", "Measure and sketch the beds beforehand.", "Scatter seeds, be surprised."),
    ],
    "heritage": [
        ("Which clock for the wall?", "A carved one with a pendulum.", "A digital display with an app."),
        ("Where shall we marry?", "In the village church.", "In a glass tower with projections."),
        ("How should I write to Gran?", "With ink on parchment.", "With a voice message."),
        ("What desk should I get?", "An oak antique.", "A motorised steel one."),
        ("How do I keep my notes?", "A leather journal.", "A cloud service with sync."),
        ("Which museum?", "Baroque masters and icons.", "Interactive video art."),
        ("What should I bake?", "Bread after a medieval recipe.", "Molecular foam from a siphon."),
        ("How do I light my study?", "Candles in brass holders.", "Smart bulbs steered by sensors."),
    ],
}


def pairs_of(tastes: dict[str, list[tuple[str, str, str]]], sides: Sequence[bool]) -> list[Pair]:
    """The pairs of somebody who takes, of each dimension, the first side (True) or the other."""
    found: list[Pair] = []
    for (name, questions), side in zip(tastes.items(), sides, strict=True):
        for number, (prompt, one, other) in enumerate(questions):
            chosen, rejected = (one, other) if side else (other, one)
            split = "held_out" if number >= len(questions) - HELD_OUT else "train"
            found.append(
                Pair(
                    kind="stated",
                    prompt=prompt,
                    chosen=chosen,
                    rejected=rejected,
                    group=f"{name}-{number}",
                    split=split,
                )
            )
    return found
