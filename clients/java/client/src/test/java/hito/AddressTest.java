package hito;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import org.junit.Test;

/** Addresses as they are written, and the order in which those of a name are tried. */
public class AddressTest {
  @Test
  public void addressesAreHostAndPort() {
    assertEquals(new Address("a", 7443), Address.parse(" a:7443"));
    assertEquals(new Address("2001:db8::1", 1), Address.parse("[2001:db8::1]:1"));
    for (String wrong : List.of("a", "a:", ":1", "a:0", "a:65536", "a:b", "2001:db8::1:1", "")) {
      assertThrows(wrong, IllegalArgumentException.class, () -> Address.parse(wrong));
    }
  }

  @Test
  public void familiesComeInTurn() throws UnknownHostException {
    InetAddress[] found = new InetAddress[4];
    String[] texts = {"::1", "::2", "127.0.0.1", "127.0.0.2"};
    for (int i = 0; i < found.length; i++) {
      found[i] = InetAddress.getByName(texts[i]);
    }
    assertEquals(List.of(found[0], found[2], found[1], found[3]), Dialer.mixed(found));
  }
}
