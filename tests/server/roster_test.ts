import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { test } from "node:test";
import { Roster, type Seat } from "../../src/server/roster.ts";

test("a roster holds what a set would", () => {
  fc.assert(fc.property(fc.array(fc.nat(20)), (steps) => {
    const roster = new Roster<number>();
    const seats = new Map<number, Seat<number>>();
    for (const step of steps) {
      const seat = seats.get(step);
      if (seat === undefined) seats.set(step, roster.add(step));
      else {
        roster.delete(seat);
        roster.delete(seat); // has left before
        seats.delete(step);
      }
      assertEquals(roster.size, seats.size);
      assertEquals([...roster].sort(), [...seats.keys()].sort());
    }
  }));
});

test("everybody who stays is called, whoever leaves or comes meanwhile", () => {
  fc.assert(fc.property(fc.array(fc.nat(9), { maxLength: 10 }), fc.nat(9), fc.boolean(), (leavers, at, comes) => {
    const roster = new Roster<number>();
    const seats = Array.from({ length: 10 }, (_, member) => roster.add(member));
    const called: number[] = [];
    roster.forEach((member) => {
      called.push(member);
      if (called.length !== at + 1) return;
      for (const leaver of leavers) roster.delete(seats[leaver]!);
      if (comes) roster.add(10);
    });
    for (let member = 0; member < 10; member++) {
      if (!leavers.includes(member)) assertEquals(called.includes(member), true);
    }
  }));
});
