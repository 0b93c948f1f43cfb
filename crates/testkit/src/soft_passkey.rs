use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use openssl::{
    bn::{BigNum, BigNumContext},
    ec::{EcGroup, EcKey},
    hash::MessageDigest,
    nid::Nid,
    pkey::{PKey, Private},
    rand::rand_bytes,
    sha::sha256,
    sign::Signer,
};

/// The user was present and verified (WebAuthn Level 3, section 6.1).
const PRESENT_AND_VERIFIED: u8 = 0b101;
/// The authenticator's data contains a new credential.
const HAS_CREDENTIAL: u8 = 0b100_0000;
const ID_BYTES: usize = 32;

/// A passkey in memory, with its browser: responds as JSON to a page's calls of
/// `navigator.credentials` (ES256, no attestation).
pub struct SoftPasskey {
    key: EcKey<Private>,
    id: [u8; ID_BYTES],
    /// The authenticator's signature counter; 0 if it does not count.
    sign_count: u32,
}

impl Default for SoftPasskey {
    /// A passkey without a signature counter.
    fn default() -> Self {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
        let mut id = [0; ID_BYTES];
        rand_bytes(&mut id).unwrap();
        Self { key: EcKey::generate(&group).unwrap(), id, sign_count: 0 }
    }
}

impl SoftPasskey {
    /// Responds to the options for a new passkey, on a page at `origin`.
    ///
    /// # Panics
    /// If the options are not valid.
    pub fn create(&self, question: &str, origin: &str) -> String {
        let (_, site) = question.split_once(r#""rp":{"#).unwrap();
        let mut data = self.data(field(site, "id"), PRESENT_AND_VERIFIED | HAS_CREDENTIAL);
        data.extend([0; 16]);
        data.extend(u16::try_from(ID_BYTES).unwrap().to_be_bytes());
        data.extend(self.id);
        data.extend(self.public_key());
        // CBOR (RFC 8949): {"fmt": "none", "attStmt": {}, "authData": data}
        let mut attestation = vec![0xa3];
        attestation.extend(b"\x63fmt\x64none\x67attStmt\xa0\x68authData\x58");
        attestation.push(data.len().try_into().unwrap());
        attestation.extend(data);
        let client_data = client_data("webauthn.create", question, origin);
        let attestation = BASE64_URL_SAFE_NO_PAD.encode(attestation);
        self.answer(&format!(
            r#""clientDataJSON":"{client_data}","attestationObject":"{attestation}","transports":["internal","smart-card"]"#
        ))
    }

    /// Responds to the options for a proof, on a page at `origin`.
    ///
    /// # Panics
    /// If the options are not valid.
    pub fn get(&self, question: &str, origin: &str) -> String {
        let data = self.data(field(question, "rpId"), PRESENT_AND_VERIFIED);
        let client_data = client_data("webauthn.get", question, origin);
        let mut signed = data.clone();
        signed.extend(sha256(&BASE64_URL_SAFE_NO_PAD.decode(&client_data).unwrap()));
        let key = PKey::from_ec_key(self.key.clone()).unwrap();
        let mut signer = Signer::new(MessageDigest::sha256(), &key).unwrap();
        let signature = signer.sign_oneshot_to_vec(&signed).unwrap();
        let (data, signature) =
            (BASE64_URL_SAFE_NO_PAD.encode(data), BASE64_URL_SAFE_NO_PAD.encode(signature));
        self.answer(&format!(
            r#""clientDataJSON":"{client_data}","authenticatorData":"{data}","signature":"{signature}""#
        ))
    }

    /// The same passkey with this signature counter, like a copy of the authenticator.
    #[must_use]
    pub fn counting(&self, sign_count: u32) -> Self {
        Self { key: self.key.clone(), id: self.id, sign_count }
    }

    fn answer(&self, response: &str) -> String {
        let id = BASE64_URL_SAFE_NO_PAD.encode(self.id);
        format!(r#"{{"id":"{id}","rawId":"{id}","type":"public-key","response":{{{response}}}}}"#)
    }

    fn data(&self, host: &str, flags: u8) -> Vec<u8> {
        let mut data = sha256(host.as_bytes()).to_vec();
        data.push(flags);
        data.extend(self.sign_count.to_be_bytes());
        data
    }

    /// The public key in COSE form (RFC 9053, section 7.1.1).
    fn public_key(&self) -> Vec<u8> {
        let mut context = BigNumContext::new().unwrap();
        let (mut x, mut y) = (BigNum::new().unwrap(), BigNum::new().unwrap());
        let (point, group) = (self.key.public_key(), self.key.group());
        point.affine_coordinates(group, &mut x, &mut y, &mut context).unwrap();
        // {1: 2, 3: -7, -1: 1, -2: x, -3: y}
        let mut key = b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20".to_vec();
        key.extend(x.to_vec_padded(32).unwrap());
        key.extend(b"\x22\x58\x20");
        key.extend(y.to_vec_padded(32).unwrap());
        key
    }
}

/// The first string of this name in JSON without escapes.
fn field<'a>(json: &'a str, name: &str) -> &'a str {
    let (_, rest) = json.split_once(&format!(r#""{name}":""#)).unwrap();
    rest.split('"').next().unwrap()
}

/// The browser's data about the page (WebAuthn Level 3, section 5.8.1).
fn client_data(kind: &str, question: &str, origin: &str) -> String {
    let challenge = field(question, "challenge");
    BASE64_URL_SAFE_NO_PAD.encode(format!(
        r#"{{"type":"{kind}","challenge":"{challenge}","origin":"{origin}","crossOrigin":false}}"#
    ))
}
