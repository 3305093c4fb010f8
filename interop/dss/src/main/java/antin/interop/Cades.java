package antin.interop;

import java.io.File;
import java.security.KeyStore;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import eu.europa.esig.dss.cades.CAdESSignatureParameters;
import eu.europa.esig.dss.cades.signature.CAdESService;
import eu.europa.esig.dss.cades.validation.CMSDocumentValidator;
import eu.europa.esig.dss.diagnostic.TimestampWrapper;
import eu.europa.esig.dss.enumerations.SignatureLevel;
import eu.europa.esig.dss.enumerations.SignaturePackaging;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.model.SignatureValue;
import eu.europa.esig.dss.simplereport.SimpleReport;
import eu.europa.esig.dss.token.DSSPrivateKeyEntry;
import eu.europa.esig.dss.token.Pkcs12SignatureToken;
import eu.europa.esig.dss.validation.reports.Reports;

/** EU DSS on signatures that are files of their own. */
final class Cades {
    private Cades() {
    }

    private static CAdESService service(String root, String tsa) {
        CAdESService service = new CAdESService(Dss.verifier(root, true));
        service.setTspSource(Dss.tsp(tsa));
        return service;
    }

    private static CAdESSignatureParameters parameters(String level, boolean detached) {
        CAdESSignatureParameters p = new CAdESSignatureParameters();
        p.setSignatureLevel(SignatureLevel.valueOf("CAdES_BASELINE_" + level.substring("B-".length())));
        p.setSignaturePackaging(detached ? SignaturePackaging.DETACHED : SignaturePackaging.ENVELOPING);
        return p;
    }

    /** cades-sign ROOT TSA LEVEL attached|detached P12 PASSWORD IN OUT */
    static Map<String, Object> sign(String[] a) throws Exception {
        CAdESService service = service(a[1], a[2]);
        try (Pkcs12SignatureToken token = new Pkcs12SignatureToken(new File(a[5]),
                new KeyStore.PasswordProtection(a[6].toCharArray()))) {
            DSSPrivateKeyEntry key = token.getKeys().get(0);
            CAdESSignatureParameters p = parameters(a[3], a[4].equals("detached"));
            p.setSigningCertificate(key.getCertificate());
            p.setCertificateChain(key.getCertificateChain());
            DSSDocument in = new FileDocument(a[7]);
            SignatureValue value = token.sign(service.getDataToSign(in, p), p.getSignatureAlgorithm(), key);
            service.signDocument(in, p, value).save(a[8]);
        }
        return Map.of();
    }

    /** cades-extend ROOT TSA LEVEL CONTENT|- IN OUT */
    static Map<String, Object> extend(String[] a) throws Exception {
        CAdESSignatureParameters p = parameters(a[3], !a[4].equals("-"));
        if (!a[4].equals("-")) {
            p.setDetachedContents(List.of(new FileDocument(a[4])));
        }
        service(a[1], a[2]).extendDocument(new FileDocument(a[5]), p).save(a[6]);
        return Map.of();
    }

    /** cades ROOT TIME|- CONTENT|- IN */
    static Map<String, Object> validate(String[] a) throws Exception {
        CMSDocumentValidator validator = new CMSDocumentValidator(new FileDocument(a[4]));
        validator.setCertificateVerifier(Dss.verifier(a[1], false));
        if (!a[2].equals("-")) {
            validator.setValidationTime(Date.from(Instant.parse(a[2])));
        }
        if (!a[3].equals("-")) {
            validator.setDetachedContents(List.of(new FileDocument(a[3])));
        }
        Reports reports = validator.validateDocument(Dss.policy("default"));
        SimpleReport simple = reports.getSimpleReport();
        List<Object> signatures = new ArrayList<>();
        for (String id : simple.getSignatureIdList()) {
            Map<String, Object> one = Dss.verdict(simple, id);
            one.put("level", String.valueOf(simple.getSignatureFormat(id)));
            signatures.add(one);
        }
        List<Object> stamps = new ArrayList<>();
        for (TimestampWrapper t : reports.getDiagnosticData().getTimestampList()) {
            Map<String, Object> one = Dss.verdict(simple, t.getId());
            one.put("type", String.valueOf(t.getType()));
            stamps.add(one);
        }
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("signatures", signatures);
        answer.put("timestamps", stamps);
        return answer;
    }
}
