package antin.interop;

import java.io.File;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;

import eu.europa.esig.dss.diagnostic.DiagnosticData;
import eu.europa.esig.dss.diagnostic.PDFRevisionWrapper;
import eu.europa.esig.dss.diagnostic.TimestampWrapper;
import eu.europa.esig.dss.enumerations.DigestAlgorithm;
import eu.europa.esig.dss.enumerations.EncryptionAlgorithm;
import eu.europa.esig.dss.enumerations.SignatureLevel;
import eu.europa.esig.dss.jaxb.object.Message;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.model.SignatureValue;
import eu.europa.esig.dss.model.policy.ValidationPolicy;
import eu.europa.esig.dss.pades.PAdESSignatureParameters;
import eu.europa.esig.dss.pades.signature.PAdESService;
import eu.europa.esig.dss.pades.validation.PDFDocumentValidator;
import eu.europa.esig.dss.service.crl.OnlineCRLSource;
import eu.europa.esig.dss.service.http.commons.CommonsDataLoader;
import eu.europa.esig.dss.service.http.commons.OCSPDataLoader;
import eu.europa.esig.dss.service.http.commons.TimestampDataLoader;
import eu.europa.esig.dss.service.ocsp.OnlineOCSPSource;
import eu.europa.esig.dss.service.tsp.OnlineTSPSource;
import eu.europa.esig.dss.simplereport.SimpleReport;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.validation.CertificateVerifier;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import eu.europa.esig.dss.spi.x509.aia.DefaultAIASource;
import eu.europa.esig.dss.token.DSSPrivateKeyEntry;
import eu.europa.esig.dss.token.Pkcs12SignatureToken;
import eu.europa.esig.dss.validation.policy.ValidationPolicyLoader;
import eu.europa.esig.dss.validation.reports.Reports;

/** EU DSS: validates, signs and augments PAdES. */
final class Dss {
    /** A reply from a loopback service takes milliseconds; a stuck one is a defect. */
    private static final int TIMEOUT_MS = 20_000;

    private Dss() {
    }

    /** The version that Maven wrote into the jar. */
    static String version() throws Exception {
        Properties p = new Properties();
        try (InputStream in = PDFDocumentValidator.class
                .getResourceAsStream("/META-INF/maven/eu.europa.ec.joinup.sd-dss/dss-pades/pom.properties")) {
            p.load(in);
        }
        return p.getProperty("version");
    }

    /** The word that stands for "none" among the arguments. */
    private static boolean given(String argument) {
        return !argument.equals("-");
    }

    static CertificateVerifier verifier(String root, boolean online) {
        CommonTrustedCertificateSource trusted = new CommonTrustedCertificateSource();
        trusted.addCertificate(DSSUtils.loadCertificate(new File(root)));
        CertificateVerifier v = new CommonCertificateVerifier();
        v.setTrustedCertSources(trusted);
        v.setAIASource(null); // the library's own default asks the network
        if (online) {
            v.setAIASource(new DefaultAIASource(timed(new CommonsDataLoader())));
            v.setCrlSource(new OnlineCRLSource(timed(new CommonsDataLoader())));
            v.setOcspSource(new OnlineOCSPSource(timed(new OCSPDataLoader())));
        }
        return v;
    }

    private static <L extends CommonsDataLoader> L timed(L loader) {
        loader.setTimeoutConnection(TIMEOUT_MS);
        loader.setTimeoutResponse(TIMEOUT_MS);
        loader.setTimeoutSocket(TIMEOUT_MS);
        return loader;
    }

    /**
     * The policy that DSS brings. "eddsa" is the same with the two lines on EdDSA put in force that it brings commented
     * out, since ETSI TS 119 312 does not list that algorithm.
     */
    static ValidationPolicy policy(String name) throws Exception {
        if (!name.equals("eddsa")) {
            return ValidationPolicyLoader.fromDefaultValidationPolicy().create();
        }
        try (InputStream in = Dss.class.getResourceAsStream("/policy/constraint.xml")) {
            String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            String changed = text.replaceAll("<!--\\s*(<Algo>EdDSA</Algo>)[^>]*-->", "$1")
                    .replaceAll("<!--\\s*(<Algo Size=\"\\d+\">EdDSA</Algo>)[^>]*-->", "$1");
            if (changed.equals(text)) {
                throw new IllegalStateException("the policy of DSS no longer mentions EdDSA");
            }
            return ValidationPolicyLoader
                    .fromValidationPolicy(new java.io.ByteArrayInputStream(changed.getBytes(StandardCharsets.UTF_8)))
                    .create();
        }
    }

    /** Judges as of the time at, an instant in ISO 8601, or now when that is not given. */
    static Map<String, Object> validate(String at, String root, boolean online, String policy, String password,
            String file) throws Exception {
        PDFDocumentValidator validator = new PDFDocumentValidator(new FileDocument(file));
        validator.setCertificateVerifier(verifier(root, online));
        if (given(at)) {
            validator.setValidationTime(Date.from(Instant.parse(at)));
        }
        if (given(password)) {
            validator.setPasswordProtection(password.toCharArray());
        }
        Reports reports = validator.validateDocument(policy(policy));
        SimpleReport simple = reports.getSimpleReport();
        DiagnosticData data = reports.getDiagnosticData();
        List<Object> signatures = new ArrayList<>();
        for (String id : simple.getSignatureIdList()) {
            Map<String, Object> one = verdict(simple, id);
            one.put("field", field(data.getSignatureById(id).getPDFRevision()));
            one.put("level", String.valueOf(simple.getSignatureFormat(id)));
            signatures.add(one);
        }
        List<Object> stamps = new ArrayList<>();
        for (TimestampWrapper t : data.getTimestampList()) {
            Map<String, Object> one = verdict(simple, t.getId());
            one.put("type", String.valueOf(t.getType()));
            one.put("field", field(t.getPDFRevision()));
            stamps.add(one);
        }
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("signatures", signatures);
        answer.put("timestamps", stamps);
        return answer;
    }

    private static String field(PDFRevisionWrapper revision) {
        if (revision == null || revision.getSignatureFieldNames().isEmpty()) {
            return "";
        }
        return revision.getSignatureFieldNames().get(0);
    }

    static Map<String, Object> verdict(SimpleReport report, String id) {
        Map<String, Object> one = new LinkedHashMap<>();
        one.put("indication", String.valueOf(report.getIndication(id)));
        one.put("sub", report.getSubIndication(id) == null ? "" : report.getSubIndication(id).toString());
        one.put("errors", words(report.getAdESValidationErrors(id)));
        one.put("warnings", words(report.getAdESValidationWarnings(id)));
        return one;
    }

    private static List<String> words(List<Message> messages) {
        return messages.stream().map(Message::getValue).toList();
    }

    private static PAdESService service(String root, String tsa) {
        PAdESService service = new PAdESService(verifier(root, true));
        service.setTspSource(tsp(tsa));
        return service;
    }

    static OnlineTSPSource tsp(String url) {
        return new OnlineTSPSource(url, timed(new TimestampDataLoader()));
    }

    /** sign ROOT TSA LEVEL DIGEST plain|pss P12 PASSWORD FIELD|- PDF-PASSWORD|- IN OUT */
    static Map<String, Object> sign(String[] a) throws Exception {
        PAdESService service = service(a[1], a[2]);
        try (Pkcs12SignatureToken token = new Pkcs12SignatureToken(new File(a[6]),
                new KeyStore.PasswordProtection(a[7].toCharArray()))) {
            DSSPrivateKeyEntry key = token.getKeys().get(0);
            PAdESSignatureParameters p = parameters(a[3], a[9]);
            p.setSigningCertificate(key.getCertificate());
            p.setCertificateChain(key.getCertificateChain());
            p.setDigestAlgorithm(DigestAlgorithm.valueOf(a[4]));
            if (a[5].equals("pss")) {
                p.setEncryptionAlgorithm(EncryptionAlgorithm.RSASSA_PSS);
            }
            if (given(a[8])) {
                p.getImageParameters().getFieldParameters().setFieldId(a[8]);
            }
            DSSDocument in = new FileDocument(a[10]);
            SignatureValue value = token.sign(service.getDataToSign(in, p), p.getSignatureAlgorithm(), key);
            service.signDocument(in, p, value).save(a[11]);
        }
        return Map.of();
    }

    /** extend ROOT TSA LEVEL PDF-PASSWORD|- IN OUT */
    static Map<String, Object> extend(String[] a) throws Exception {
        service(a[1], a[2]).extendDocument(new FileDocument(a[5]), parameters(a[3], a[4])).save(a[6]);
        return Map.of();
    }

    private static PAdESSignatureParameters parameters(String level, String password) {
        PAdESSignatureParameters p = new PAdESSignatureParameters();
        p.setSignatureLevel(SignatureLevel.valueOf("PAdES_BASELINE_" + level.substring("B-".length())));
        if (given(password)) {
            p.setPasswordProtection(password.toCharArray());
        }
        return p;
    }
}
