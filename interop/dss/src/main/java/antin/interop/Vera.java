package antin.interop;

import java.io.FileInputStream;
import java.io.InputStream;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.PDFAValidator;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;
import org.verapdf.pdfa.results.ValidationResult;

/** veraPDF: does a file keep to the part of PDF/A or PDF/UA that it claims? */
final class Vera {
    static {
        VeraGreenfieldFoundryProvider.initialise();
    }

    /** How many broken rules are named; the rest say nothing new. */
    private static final int MAX_RULES = 20;

    private Vera() {
    }

    /**
     * Validates file against flavour ("1b", "2a", "3u", "4", "ua1" …), or against what the file claims when it is "auto"; a file that
     * claims nothing has no flavour.
     * veraPDF keeps its state per thread; one call at a time makes its memory predictable.
     */
    static synchronized Map<String, Object> validate(String flavour, String file) throws Exception {
        boolean auto = flavour.equals("auto");
        PDFAFlavour asked = auto ? PDFAFlavour.NO_FLAVOUR : PDFAFlavour.fromString(flavour);
        if (!auto && asked == PDFAFlavour.NO_FLAVOUR) {
            throw new IllegalArgumentException("veraPDF knows no flavour " + flavour);
        }
        try (InputStream in = new FileInputStream(file);
             PDFAParser parser = auto ? Foundries.defaultInstance().createParser(in)
                     : Foundries.defaultInstance().createParser(in, asked)) {
            if (auto && parser.getFlavours().isEmpty()) {
                return Map.of("flavour", "", "compliant", false);
            }
            PDFAFlavour claimed = auto ? parser.getFlavours().get(0) : asked;
            try (PDFAValidator validator = Foundries.defaultInstance().createValidator(claimed, false)) {
                ValidationResult result = validator.validate(parser);
                Map<String, Integer> rules = new TreeMap<>();
                for (TestAssertion a : result.getTestAssertions()) {
                    if (a.getStatus() == TestAssertion.Status.FAILED && (rules.size() < MAX_RULES)) {
                        rules.merge(a.getRuleId().getClause() + "-" + a.getRuleId().getTestNumber(), 1, Integer::sum);
                    }
                }
                Map<String, Object> answer = new LinkedHashMap<>();
                answer.put("flavour", claimed.getId());
                answer.put("compliant", result.isCompliant());
                answer.put("assertions", result.getTotalAssertions());
                answer.put("broken", rules);
                return answer;
            }
        }
    }
}
